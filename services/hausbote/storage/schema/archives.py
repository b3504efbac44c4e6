"""Archives of accounts."""

from peewee import BlobField, CompositeKey, ForeignKeyField, IntegerField, Model, TextField

from hausbote.storage.schema.accounts import Account


class ArchivedMessage(Model):
    """`id` is in microseconds since 1970; `entries` is how many archives have it.  `checksum` is
    the CRC-32 of the stanza, which older ones have not."""

    entries = IntegerField()
    stanza = BlobField()
    checksum = IntegerField(null=True)

    class Meta:
        table_name = "archived_message"


class ArchiveFresh(Model):
    """A message whose entries are not made yet: JSON, pairs of an account's id and a bare JID."""

    entries = TextField()

    class Meta:
        table_name = "archive_fresh"


class ArchiveSize(Model):
    """How many messages are in an account's archive, and their bytes, but for those in
    `archive_fresh`."""

    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    bytes = IntegerField()
    messages = IntegerField(default=0)

    class Meta:
        table_name = "archive_size"


class ArchivePeer(Model):
    """A bare JID that an account has messages of, or to, in its archive."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()

    class Meta:
        table_name = "archive_peer"
        indexes = ((("account", "jid"), True),)


class Archive(Model):
    """That a message is in an account's archive."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    id = IntegerField()
    peer = IntegerField(column_name="peer_id")

    class Meta:
        primary_key = CompositeKey("account", "id")
        indexes = ((("account", "peer", "id"), False),)


class ArchivePreferences(Model):
    """`always` and `never` are JSON lists of JIDs; after `days` messages go, 0 = when the box
    decides."""

    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    fallback = TextField()
    always = TextField()
    never = TextField()
    days = IntegerField(default=0)

    class Meta:
        table_name = "archive_preferences"


class ArchiveReader(Model):
    """A resource that reads the archive, and so needs no offline messages."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    resource = TextField()
    at = IntegerField()

    class Meta:
        table_name = "archive_reader"
        primary_key = CompositeKey("account", "resource")
