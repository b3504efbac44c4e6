"""What is on its way to clients of accounts."""

from peewee import AutoField, BlobField, FloatField, ForeignKeyField, IntegerField, Model, TextField

from hausbote.storage.schema.accounts import Account


class Offline(Model):
    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    at = FloatField()
    stanza = BlobField()
    size = IntegerField(default=0)


class Arrival(Model):
    """Something that came over the bus and was dealt with: `name` is a digest of the frame's id and
    of what was done, `id` that of the message in archives (0 = everything was done)."""

    number = AutoField()
    name = IntegerField()
    id = IntegerField()


class Session(Model):
    """A session that waits for its client while the service is restarted; with an empty `state` it
    is over, and only how much was handled is known."""

    id = TextField(primary_key=True)
    account = ForeignKeyField(Account, on_delete="CASCADE")
    until = FloatField()
    handled = IntegerField()
    state = BlobField()

    class Meta:
        without_rowid = True


class SessionShared(Model):
    """What several of these sessions were sent and have not acknowledged: their address belongs
    between `before` and `after`."""

    number = AutoField()
    before = BlobField()
    after = BlobField()
    at = FloatField()
    stanza = BlobField()

    class Meta:
        table_name = "session_shared"
