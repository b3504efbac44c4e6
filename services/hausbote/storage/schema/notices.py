"""What the box's owner tells everybody, and is told by them."""

from peewee import AutoField, CompositeKey, FloatField, ForeignKeyField, Model, TextField

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


class AbuseReport(Model):
    """Somebody was reported by an account (XEP-0377)."""

    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    at = FloatField()
    jid = TextField()
    reason = TextField()
    text = TextField()

    class Meta:
        table_name = "abuse_report"
