"""The tables as they are now; how they came to be is in migrations.py."""

from peewee import (
    AutoField,
    BlobField,
    BooleanField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class Account(Model):
    """`roster_version` grows with every change; changes up to `roster_floor` are forgotten."""

    id = AutoField()
    local = TextField(unique=True)
    admin = BooleanField(default=False)
    locked = BooleanField(default=False)
    created = IntegerField()
    roster_version = IntegerField(default=0)
    roster_floor = IntegerField(default=0)


class Scram(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    hash = TextField()
    salt = BlobField()
    iterations = IntegerField()
    stored_key = BlobField()
    server_key = BlobField()

    class Meta:
        primary_key = CompositeKey("account", "hash")


class Contact(Model):
    """A roster item; `removed` ones are kept for a while so that clients can be told."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    name = TextField()
    subscription = TextField()
    ask = BooleanField()
    approved = BooleanField()
    listed = BooleanField()
    removed = BooleanField()
    version = IntegerField()
    groups = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid")


class SubscriptionRequest(Model):
    """A presence subscription request that the account has not answered."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    stanza = BlobField()
    at = FloatField()

    class Meta:
        table_name = "subscription_request"
        primary_key = CompositeKey("account", "jid")


class Offline(Model):
    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    at = FloatField()
    stanza = BlobField()
    size = IntegerField(default=0)


class Activity(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    at = FloatField()
    status = TextField()


class Client(Model):
    """An installation of a client that has logged in; `ref` names it to its owner."""

    id = AutoField()
    account = ForeignKeyField(Account, on_delete="CASCADE")
    agent = TextField()
    ref = TextField()
    software = TextField()
    device = TextField()
    password = BooleanField()
    first_seen = IntegerField()
    last_seen = IntegerField()

    class Meta:
        indexes = ((("account", "agent"), True),)


class Token(Model):
    """A token of a client: `slot` 0 is in use, 1 is new."""

    client = ForeignKeyField(Client, on_delete="CASCADE")
    slot = IntegerField()
    mechanism = TextField()
    secret = TextField()
    issued = IntegerField()
    expires = IntegerField()
    count = IntegerField()

    class Meta:
        primary_key = CompositeKey("client", "slot")


class EndedToken(Model):
    """A token that logs nobody in any more."""

    id = AutoField()
    client = ForeignKeyField(Client, on_delete="CASCADE")
    mechanism = TextField()
    secret = TextField()

    class Meta:
        table_name = "ended_token"


class WebLogin(Model):
    """The hash of a token with which a page of the portal logs in."""

    digest = BlobField(primary_key=True)
    client = ForeignKeyField(Client, on_delete="CASCADE")
    expires = IntegerField()

    class Meta:
        table_name = "web_login"
        without_rowid = True


class Secret(Model):
    name = TextField(primary_key=True)
    value = BlobField()


class DepartedName(Model):
    """The name of a deleted account, as a keyed hash: whose it was cannot be read here."""

    name = BlobField(primary_key=True)
    at = IntegerField()

    class Meta:
        table_name = "departed_name"


class Blocked(Model):
    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid")


class Push(Model):
    """A node of a push service that wants to hear of an account's messages."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    jid = TextField()
    node = TextField()
    resource = TextField()
    options = TextField()

    class Meta:
        primary_key = CompositeKey("account", "jid", "node")


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


class ArchivedMessage(Model):
    """`id` is in microseconds since 1970; `entries` is how many archives have it."""

    entries = IntegerField()
    stanza = BlobField()

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
    """`always` and `never` are JSON lists of JIDs."""

    account = ForeignKeyField(Account, on_delete="CASCADE", primary_key=True)
    fallback = TextField()
    always = TextField()
    never = TextField()

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


TABLES = (
    Account,
    Scram,
    Contact,
    SubscriptionRequest,
    Offline,
    Activity,
    Client,
    Token,
    WebLogin,
    Secret,
    DepartedName,
    EndedToken,
    Blocked,
    Push,
    Notice,
    NoticeSeen,
    PubsubNode,
    PubsubItem,
    PubsubAffiliation,
    PubsubSubscription,
    PrivateXml,
    Vcard,
    Outgoing,
    Peer,
    ArchivedMessage,
    ArchiveFresh,
    ArchiveSize,
    ArchivePeer,
    Archive,
    ArchivePreferences,
    ArchiveReader,
    Room,
    RoomAffiliation,
    RoomOccupant,
    RoomMessage,
    DestroyedRoom,
    DestroyedRoomPerson,
    Upload,
    UploadDay,
    UploadGone,
    Arrival,
    Session,
    SessionShared,
    Invitation,
    InvitationCircle,
)
