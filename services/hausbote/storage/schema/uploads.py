"""Uploaded files."""

from peewee import BlobField, FloatField, ForeignKeyField, IntegerField, Model, TextField

from hausbote.storage.schema.accounts import Account


class Upload(Model):
    """A file; `content` is what a small one consists of, the others lie beside the database."""

    id = TextField(primary_key=True)
    account = ForeignKeyField(Account, on_delete="CASCADE")
    name = TextField()
    type = TextField()
    size = IntegerField()
    digest = BlobField()
    uploaded = FloatField()
    expires = IntegerField(null=True)
    content = BlobField(null=True)

    class Meta:
        indexes = ((("account", "uploaded", "size"), False),)


class UploadDay(Model):
    """What an account has uploaded on its latest day of uploading, a number of days since 1970."""

    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    day = IntegerField()
    bytes = IntegerField()

    class Meta:
        table_name = "upload_day"


class UploadGone(Model):
    """Files beside the database whose rows are gone, until the files are gone, too."""

    id = TextField(primary_key=True)

    class Meta:
        table_name = "upload_gone"
