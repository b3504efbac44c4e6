"""Contacts of accounts, requests to be one, and who is blocked."""

from peewee import (
    BlobField,
    BooleanField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from hausbote.storage.schema.accounts import Account


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
    at = FloatField()

    class Meta:
        table_name = "subscription_request"
        primary_key = CompositeKey("account", "jid")


class Blocked(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid")
