"""Clients of accounts, what they log in with, and how they are told of messages."""

from peewee import (
    AutoField,
    BlobField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from hausbote.storage.schema.accounts import Account


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


class EndedToken(Model):
    """A token that logs nobody in any more."""

    id = AutoField()
    client = ForeignKeyField(Client, on_delete="CASCADE")
    mechanism = TextField()
    secret = TextField()

    class Meta:
        table_name = "ended_token"


class WebLogin(Model):
    """The hash of a token with which a page of the portal logs in."""

    digest = BlobField(primary_key=True)
    client = ForeignKeyField(Client, on_delete="CASCADE")
    expires = IntegerField()

    class Meta:
        table_name = "web_login"
        without_rowid = True


class Push(Model):
    """A node of a push service that wants to hear of an account's messages."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    node = TextField()
    resource = TextField()
    options = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid", "node")
