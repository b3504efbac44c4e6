"""XML that clients keep in their accounts."""

from peewee import CompositeKey, ForeignKeyField, Model, TextField

from hausbote.storage.schema.accounts import Account


class PrivateXml(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    ns = TextField()
    name = TextField()
    xml = TextField()

    class Meta:
        table_name = "private_xml"
        primary_key = CompositeKey("account", "ns", "name")


class Vcard(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    xml = TextField()
