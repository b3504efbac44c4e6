"""What rooms there are, and what one of them is (XEP-0045 §6)."""

from dataclasses import replace
from typing import Final

from hausbote.base.jid import JID
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.features import disco
from hausbote.rooms import destroyed
from hausbote.rooms.access import inside, may_know, may_look_in
from hausbote.rooms.avatar import hashes
from hausbote.rooms.configuration import Configuration
from hausbote.rooms.hats import hash_of
from hausbote.rooms.house import house_of
from hausbote.rooms.privileges import Affiliation
from hausbote.rooms.room import Room
from hausbote.storage import PublicRoom
from hausbote.xmpp import ns, paging
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.errors import ItemNotFound, ServiceUnavailable
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, el

feature = Feature("discovery of rooms", xeps={"0045": "1.35.5"}, disco=(ns.MUC, ns.MUC_STABLE_ID))

_PAGE: Final = 200
_ALWAYS: Final = (
    ns.DISCO_INFO,
    ns.DISCO_ITEMS,
    ns.MUC,
    ns.MUC_STABLE_ID,
    ns.MUC_SELF_PING,
    ns.OCCUPANT_ID,
    ns.VCARD,
    ns.HATS,
    ns.COMMANDS,
    ns.REGISTER,
    ns.MUC_REGISTER,
    ns.MUC_REQUEST,
)
# Ids are those of the archive: without one nothing can be named to be taken back.
_OF_ARCHIVE: Final = (
    ns.MAM,
    ns.MAM_EXTENDED,
    ns.STANZA_ID,
    ns.MODERATION,
    ns.RETRACT,
    ns.TOMBSTONE,
)
_NICK_NODE: Final = "x-roomuser-item"

# The service's own address answers as other services do, except for what rooms there are.
service: Final = replace(
    disco.feature,
    account_disco=(),
    iqs={
        key: handler
        for key, handler in disco.feature.iqs.items()
        if key[0] is Target.HOST and key[2] == ns.DISCO_INFO
    },
)


# -- the service -------------------------------------------------------------------------------


def may_find(host: Host, who: JID | None) -> bool:
    """Whether somebody may look which public rooms there are."""
    local = who is not None and who.domain == host.settings.domain
    return local or host.settings.rooms.directory == "everybody"


def public_rooms(host: Host) -> list[PublicRoom]:
    return host.store.rooms.public()


@feature.iq("get", ns.DISCO_ITEMS, "query", Target.HOST)
def rooms(request: Request) -> Child:
    """The public ones, page by page."""
    host, query = request.host, request.tree()
    node = query.get("node")
    if node is not None:
        return _of_node(request, node)
    found = public_rooms(host) if may_find(host, request.sender) else []
    asked = paging.read(query)
    names = [room.local for room in found]
    page = paging.choose(names, asked or paging.Paging(), _PAGE)
    shown = [
        el("item", jid=f"{room.local}@{host.domain}", name=_title(room))
        for room in found[page.start : page.end]
    ]
    partial = asked is not None or len(shown) < len(found)
    return child(ns.DISCO_ITEMS, "query", *shown, paging.write(names, page) if partial else None)


def _title(room: PublicRoom) -> str:
    return Configuration.unpack(room.config).name or room.local


# -- a room ------------------------------------------------------------------------------------


def visible(host: Host, local: str, who: JID | None) -> Room:
    """The room; one that is locked or hides from banned people is not there for them."""
    room = house_of(host).find(local)
    if room is None and who is not None:
        destroyed.refuse(house_of(host), local, who)
    if room is None or who is None:
        raise ItemNotFound("there is no such room")
    if not room.exists_for(who):
        raise ItemNotFound("there is no such room")
    if room.affiliation(who) is Affiliation.OUTCAST and not room.configuration.public:
        raise ItemNotFound("there is no such room")
    return room


@feature.iq("get", ns.DISCO_INFO, "query", Target.ACCOUNT)
def info(request: Request) -> Child:
    room = visible(request.host, request.to.local, request.sender)
    node = request.tree().get("node")
    if node == _NICK_NODE:
        return _own_nick(room, request.sender)
    if node == ns.MUC_TRAFFIC:
        raise ServiceUnavailable("whatever clients send is passed on")
    if node is not None:
        return _of_node(request, node)
    configuration = room.configuration
    name = _name(room) if may_know(room, request.sender) else room.jid.local
    identity = el("identity", category="conference", type="text", name=name)
    archive = _OF_ARCHIVE if configuration.archived else ()
    features = sorted({*_ALWAYS, *archive, *_of_configuration(configuration)})
    form = DataForm(ns.MUC_INFO, _form(room, request.sender)).markup("result")
    return child(
        ns.DISCO_INFO, "query", identity, *[el("feature", var=var) for var in features], form
    )


@feature.iq("get", ns.DISCO_ITEMS, "query", Target.ACCOUNT)
def occupants(request: Request) -> Child:
    """For those who are in the room; to others it is private."""
    room = visible(request.host, request.to.local, request.sender)
    node = request.tree().get("node")
    if node is not None:
        return _of_node(request, node)
    shown: list[Markup] = []
    if request.sender is not None and request.sender.full in room.visits:
        shown = [
            el("item", jid=room.address(occupant.nick))
            for occupant in room.occupants.values()
            if room.configuration.announces(occupant.role)
        ]
    return child(ns.DISCO_ITEMS, "query", *shown)


def _of_node(request: Request, node: str) -> Child:
    """What a feature says of one of its nodes."""
    for handler in request.host.registry.nodes(request.payload.ns):
        answer = handler(request, node)
        if answer is not None:
            return answer
    raise ItemNotFound


def _name(room: Room) -> str:
    return room.configuration.name or room.jid.local


def _own_nick(room: Room, who: JID | None) -> Child:
    own = None if who is None else room.affiliations.get(who.bare)
    identity = None
    if own is not None and own.nick:
        identity = el("identity", category="conference", type="text", name=own.nick)
    return child(ns.DISCO_INFO, "query", identity, node=_NICK_NODE)


def _of_configuration(configuration: Configuration) -> list[str]:
    return [
        "muc_public" if configuration.public else "muc_hidden",
        "muc_persistent" if configuration.persistent else "muc_temporary",
        "muc_membersonly" if configuration.members_only else "muc_open",
        "muc_moderated" if configuration.moderated else "muc_unmoderated",
        "muc_semianonymous" if configuration.anonymous else "muc_nonanonymous",
        "muc_passwordprotected" if configuration.protected else "muc_unsecured",
    ]


def _form(room: Room, who: JID | None) -> tuple[Field, ...]:
    """Of a closed, hidden room strangers learn nothing that they would not learn at its door."""
    configuration = room.configuration
    fields = [
        Field("muc#roomconfig_changesubject", (_truth(configuration.subject_by_all),), "boolean"),
        Field("muc#roominfo_subjectmod", (_truth(configuration.subject_by_all),), "boolean"),
        Field("muc#roomconfig_allowinvites", (_truth(_invites(configuration)),), "boolean"),
        Field("muc#roomconfig_allowpm", (configuration.private_messages,)),
        Field("muc#maxhistoryfetch", (str(configuration.max_history),)),
    ]
    if may_know(room, who):
        texts = {
            "muc#roominfo_description": configuration.description,
            "muc#roominfo_lang": configuration.language,
            "muc#roominfo_subject": _subject(room) if may_look_in(room, who) else "",
            "muc#roomconfig_pubsub": configuration.pubsub,
        }
        fields += [Field(var, (text,)) for var, text in texts.items() if text]
        if may_look_in(room, who):
            fields.append(Field("muc#roominfo_occupants", (str(len(room.occupants)),)))
        fields.append(Field("muc#roomconfig_roomname", (_name(room),)))
        hats = hash_of(room)
        if hats:
            fields.append(Field("hats#hash", (hats,)))
        avatar = hashes(room.vcard)
        if avatar:
            fields.append(Field("muc#roominfo_avatarhash", avatar, "text-multi"))
    if not configuration.anonymous and inside(room, who):
        owners = tuple(room.of_affiliation(Affiliation.OWNER))
        fields.append(Field("muc#roominfo_contactjid", owners, "jid-multi"))
    return tuple(fields)


def _invites(configuration: Configuration) -> bool:
    """Whether people who are no admins may ask others in, as clients ask before they offer it."""
    return configuration.invitations_by_members or not configuration.members_only


def _subject(room: Room) -> str:
    return (room.subject and room.subject.stanza.text(ns.CLIENT, "subject")) or ""


def _truth(on: bool) -> str:
    return "1" if on else "0"
