"""Accounts, and names that were theirs."""

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
    """`roster_version` grows with every change; changes up to `roster_floor` are forgotten.

    `leaves` is when the account goes, as its owner wants; 0 = it stays, -1 = it is being deleted.
    `locked` is 2 if it is for that alone.
    """

    id = AutoField()
    local = TextField(unique=True)
    admin = BooleanField(default=False)
    locked = IntegerField(default=0)
    created = IntegerField()
    roster_version = IntegerField(default=0)
    roster_floor = IntegerField(default=0)
    leaves = IntegerField(default=0)


class Scram(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    hash = TextField()
    salt = BlobField()
    iterations = IntegerField()
    stored_key = BlobField()
    server_key = BlobField()

    class Meta:
        primary_key = CompositeKey("account", "hash")


class Activity(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    at = FloatField()
    status = TextField()


class AccountEvent(Model):
    """Something that happened to an account; `told` is what a device calls itself."""

    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    kind = TextField()
    at = IntegerField()
    count = IntegerField()
    told = TextField()

    class Meta:
        table_name = "account_event"
        indexes = ((("account", "kind", "at"), False), (("at",), False))


class DepartedName(Model):
    """The name of a deleted account, as a keyed hash: whose it was cannot be read here."""

    name = BlobField(primary_key=True)
    at = IntegerField()

    class Meta:
        table_name = "departed_name"


class Secret(Model):
    name = TextField(primary_key=True)
    value = BlobField()
