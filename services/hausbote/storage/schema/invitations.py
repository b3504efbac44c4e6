"""Invitations."""

from peewee import (
    AutoField,
    BlobField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from hausbote.storage.schema.accounts import Account
from hausbote.storage.schema.rooms import Room


class Invitation(Model):
    """`digest` is the SHA-256 of its token; `account` is whose password may be set anew."""

    id = AutoField()
    digest = BlobField(unique=True)
    kind = TextField()
    inviter = ForeignKeyField(Account, on_delete="CASCADE", null=True)
    account = ForeignKeyField(Account, on_delete="CASCADE", null=True)
    name = TextField()
    admin = BooleanField()
    note = TextField()
    times = IntegerField()
    used = IntegerField()
    made = IntegerField()
    until = IntegerField(index=True)
    withdrawn = BooleanField()


class InvitationCircle(Model):
    """A circle that whoever follows the invitation is taken into."""

    invitation = ForeignKeyField(Invitation, on_delete="CASCADE")
    room = ForeignKeyField(Room, on_delete="CASCADE")

    class Meta:
        table_name = "invitation_circle"
        primary_key = CompositeKey("invitation", "room")
