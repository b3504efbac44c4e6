"""Rooms, who is in them, and what was said there."""

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


class Room(Model):
    """`bytes` is the size of its messages with ids up to `counted`."""

    id = AutoField()
    local = TextField(unique=True)
    creator = TextField()
    created = IntegerField()
    public = BooleanField()
    locked = BooleanField()
    config = TextField()
    subject = TextField(null=True)
    vcard = TextField(null=True)
    bytes = IntegerField(default=0)
    counted = IntegerField(default=0)


class RoomAffiliation(Model):
    room = ForeignKeyField(Room, on_delete="CASCADE")
    jid = TextField()
    affiliation = TextField()
    nick = TextField()
    reason = TextField()

    class Meta:
        table_name = "room_affiliation"
        primary_key = CompositeKey("room", "jid")


class RoomOccupant(Model):
    """A session that is in a room, so that a restart of the service puts nobody out."""

    room = ForeignKeyField(Room, on_delete="CASCADE")
    jid = TextField()
    nick = TextField()
    role = TextField()
    presence = BlobField()

    class Meta:
        table_name = "room_occupant"
        primary_key = CompositeKey("room", "jid")


class RoomMessage(Model):
    """What was said; `id` is the time in microseconds, `occupant` the sender's id in the room."""

    room = ForeignKeyField(Room, on_delete="CASCADE")
    id = IntegerField()
    occupant = TextField()
    sender = TextField()
    cause = TextField()
    stanza = BlobField()

    class Meta:
        table_name = "room_message"
        primary_key = CompositeKey("room", "id")
        indexes = ((("sender", "room", "id"), False),)


class DestroyedRoom(Model):
    """A name that is kept for those who destroyed its room."""

    local = TextField(primary_key=True)
    holder = TextField()
    until = IntegerField()
    venue = TextField()
    closed = BooleanField()

    class Meta:
        table_name = "destroyed_room"


class DestroyedRoomPerson(Model):
    """Who owned the room, or belonged to it and may know where it went."""

    local = TextField()
    jid = TextField()
    owner = BooleanField()

    class Meta:
        table_name = "destroyed_room_person"
        primary_key = CompositeKey("local", "jid")
