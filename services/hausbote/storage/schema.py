"""The tables as they are now; how they came to be is in migrations."""

from peewee import (
    AutoField,
    BlobField,
    BooleanField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class Account(Model):
    """`roster_version` grows with every change; changes up to `roster_floor` are forgotten."""

    id = AutoField()
    local = TextField(unique=True)
    admin = BooleanField(default=False)
    locked = BooleanField(default=False)
    created = IntegerField()
    roster_version = IntegerField(default=0)
    roster_floor = IntegerField(default=0)


class Scram(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    hash = TextField()
    salt = BlobField()
    iterations = IntegerField()
    stored_key = BlobField()
    server_key = BlobField()

    class Meta:
        primary_key = CompositeKey("account", "hash")


class Contact(Model):
    """A roster item; `removed` ones are kept for a while so that clients can be told."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    name = TextField()
    subscription = TextField()
    ask = BooleanField()
    approved = BooleanField()
    listed = BooleanField()
    removed = BooleanField()
    version = IntegerField()
    groups = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid")


class SubscriptionRequest(Model):
    """A presence subscription request that the account has not answered."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    stanza = BlobField()

    class Meta:
        table_name = "subscription_request"
        primary_key = CompositeKey("account", "jid")


class Offline(Model):
    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    at = FloatField()
    stanza = BlobField()


class Activity(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    at = FloatField()
    status = TextField()


class Client(Model):
    """An installation of a client that has logged in; `ref` names it to its owner."""

    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    agent = TextField()
    ref = TextField()
    software = TextField()
    device = TextField()
    password = BooleanField()
    first_seen = IntegerField()
    last_seen = IntegerField()

    class Meta:
        indexes = ((("account", "agent"), True),)


class Token(Model):
    """A token of a client: `slot` 0 is in use, 1 is new."""

    client = ForeignKeyField(Client, on_delete="CASCADE")
    slot = IntegerField()
    mechanism = TextField()
    secret = TextField()
    issued = IntegerField()
    expires = IntegerField()
    count = IntegerField()

    class Meta:
        primary_key = CompositeKey("client", "slot")


class Secret(Model):
    name = TextField(primary_key=True)
    value = BlobField()


class Blocked(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid")


class Push(Model):
    """A node of a push service that wants to hear of an account's messages."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    node = TextField()
    resource = TextField()
    options = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid", "node")


class Notice(Model):
    """A text that everybody is to see once."""

    name = TextField(primary_key=True)
    text = TextField()


class NoticeSeen(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    name = ForeignKeyField(Notice, on_delete="CASCADE", column_name="name")

    class Meta:
        table_name = "notice_seen"
        primary_key = CompositeKey("name", "account")


TABLES = (
    Account,
    Scram,
    Contact,
    SubscriptionRequest,
    Offline,
    Activity,
    Client,
    Token,
    Secret,
    Blocked,
    Push,
    Notice,
    NoticeSeen,
)
