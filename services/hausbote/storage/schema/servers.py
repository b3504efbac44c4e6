"""Other servers, what waits for them, and with whom the box talks."""

from peewee import AutoField, BlobField, BooleanField, FloatField, IntegerField, Model, TextField


class Outgoing(Model):
    """A stanza for another server; `frame` is what it was called on the bus."""

    id = AutoField()
    remote = TextField()
    local = TextField()
    frame = TextField()
    at = FloatField()
    size = IntegerField()
    stanza = BlobField()
    sender = TextField()

    class Meta:
        indexes = (
            (("remote", "local", "id"), False),
            (("frame", "remote", "local"), True),
            (("remote", "sender", "size"), False),
        )


class Peer(Model):
    """Another server, and how it went with it; times are 0 for never."""

    domain = TextField(primary_key=True)
    changed_at = FloatField()
    reached_at = FloatField()
    heard_at = FloatField()
    failed_at = FloatField()
    cause = TextField()
    sentence = TextField()
    fingerprint = TextField()
    expires_at = FloatField()
    authority = TextField()


class ServerRule(Model):
    """What the owner decided about a domain while the box ran."""

    domain = TextField(primary_key=True)
    allowed = BooleanField()
    decided = FloatField()

    class Meta:
        table_name = "server_rule"
