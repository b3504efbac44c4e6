"""Nodes, their items, and who may use them."""

from peewee import (
    AutoField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from hausbote.storage.schema.accounts import Account


class PubsubNode(Model):
    """`service` is the local part of the account whose node it is, or "" for the pubsub service.

    `account` made it.  `config` is JSON with what differs from the service's defaults, `size` the
    sum of the items' sizes.
    """

    id = AutoField()
    service = TextField()
    name = TextField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    created = FloatField()
    config = TextField()
    size = IntegerField()

    class Meta:
        table_name = "pubsub_node"
        indexes = ((("service", "name"), True),)


class PubsubItem(Model):
    """`number` is the order of publication; an item that is published again gets a new one."""

    number = AutoField()
    node = ForeignKeyField(PubsubNode, on_delete="CASCADE")
    item = TextField()
    publisher = TextField()
    at = FloatField()
    payload = TextField()
    size = IntegerField()

    class Meta:
        table_name = "pubsub_item"
        indexes = ((("node", "item"), True), (("node", "number", "size"), False))


class PubsubAffiliation(Model):
    """`account` is set for people of the box, so that nothing of them outlives their account."""

    node = ForeignKeyField(PubsubNode, on_delete="CASCADE")
    jid = TextField()
    affiliation = TextField()
    account = ForeignKeyField(Account, on_delete="CASCADE", null=True)

    class Meta:
        table_name = "pubsub_affiliation"
        primary_key = CompositeKey("node", "jid")


class PubsubSubscription(Model):
    """`jid` is what was subscribed, with or without a resource; `bare` whose it is."""

    node = ForeignKeyField(PubsubNode, on_delete="CASCADE")
    jid = TextField()
    bare = TextField()
    subid = TextField()
    state = TextField()
    account = ForeignKeyField(Account, on_delete="CASCADE", null=True)

    class Meta:
        table_name = "pubsub_subscription"
        primary_key = CompositeKey("node", "jid")
