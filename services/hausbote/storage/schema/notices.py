"""What the box's owner tells everybody."""

from peewee import CompositeKey, ForeignKeyField, Model, TextField

from hausbote.storage.schema.accounts import Account


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
