"""What was said in a room, for those who were away (XEP-0313)."""

from typing import Final

from hausbote.base.clock import moment
from hausbote.base.jid import JID, InvalidJID
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.rooms.access import readable
from hausbote.rooms.house import stamp
from hausbote.rooms.post import post_all
from hausbote.rooms.privileges import Role
from hausbote.rooms.room import Room
from hausbote.storage import RoomMessage, Span
from hausbote.xmpp import ns, paging
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, form_in
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    Forbidden,
    ItemNotFound,
)
from hausbote.xmpp.stanza import Child, Stanza, child
from hausbote.xmpp.xml import Markup, el

feature = Feature("archives of rooms", xeps={"0313": "1.1.3", "0059": "1.0"})

_PAGE: Final = 50
_MAX_PAGE: Final = 250
_MAX_IDS: Final = 100
_FLIP: Final = f"{{{ns.MAM}}}flip-page"
_FIELDS: Final = (
    Field("with", (), "jid-single"),
    Field("start", ()),
    Field("end", ()),
    Field("before-id", ()),
    Field("after-id", ()),
    Field("ids", (), "list-multi"),
)
_KNOWN: Final = frozenset({"FORM_TYPE", *[field.var for field in _FIELDS]})


@feature.iq("get", ns.MAM, "query", Target.ACCOUNT)
def fields(request: Request) -> Child:
    """What can be asked for."""
    readable(request)
    return child(ns.MAM, "query", DataForm(ns.MAM, _FIELDS).markup("form"))


@feature.iq("get", ns.MAM, "metadata", Target.ACCOUNT)
def metadata(request: Request) -> Child:
    """The first and the last message that are kept."""
    room, rooms = readable(request), request.host.store.rooms
    first, last = (
        rooms.messages(room.id, Span(), 1),
        rooms.messages(room.id, Span(), 1, newest=True),
    )
    ends = [
        el(name, id=str(message.id), timestamp=stamp(message.id))
        for name, found in (("start", first), ("end", last))
        for message in found
    ]
    return child(ns.MAM, "metadata", *ends)


@feature.iq("set", ns.MAM, "query", Target.ACCOUNT)
def query(request: Request) -> Child:
    """A page of messages, each in a message of its own, and then how far it reached."""
    room, host = readable(request), request.host
    assert request.sender is not None
    element = request.tree()
    form = form_in(element)
    if form is not None and form.form_type != ns.MAM:
        raise BadRequest("a form of another kind is needed here")
    if form is not None and not _KNOWN.issuperset(form.values):
        raise FeatureNotImplemented("there is a field that is not known here")
    everything = _span(room, request.sender, form)
    asked = paging.read(element) or paging.Paging()
    size = min(_PAGE if asked.max is None else asked.max, _MAX_PAGE)
    span, backwards = _paged(everything, asked)
    _known(request, room, everything, asked)
    found = host.store.rooms.messages(room.id, span, size + 1, newest=backwards)
    complete = len(found) <= size
    page = found if complete else found[1:] if backwards else found[:-1]
    if size == 0:
        page = []
    _send(request, room, page[::-1] if element.find(_FLIP) is not None else page)
    count = host.store.rooms.count(room.id, everything)
    ends = (el("first", str(page[0].id)), el("last", str(page[-1].id))) if page else ()
    rsm = el("set", *ends, el("count", str(count)), xmlns=ns.PAGING)
    return child(ns.MAM, "fin", rsm, complete="true" if complete else None)


# -- what is asked for -------------------------------------------------------------------------


def _span(room: Room, sender: JID, form: FilledForm | None) -> Span:
    if form is None:
        return Span()
    start, end = (_moment(form.value(var)) for var in ("start", "end"))
    after, before = (_id(form.value(var)) for var in ("after-id", "before-id"))
    lower = [one for one in (after, None if start is None else start - 1) if one is not None]
    upper = [one for one in (before, None if end is None else end + 1) if one is not None]
    ids = None
    if "ids" in form.values:
        if len(form.values["ids"]) > _MAX_IDS:
            raise BadRequest(f"at most {_MAX_IDS} ids at once")
        ids = tuple([_some_id(value) for value in form.values["ids"]])
    return Span(max(lower, default=None), min(upper, default=None), _with(room, sender, form), ids)


def _with(room: Room, sender: JID, form: FilledForm) -> str | None:
    """Whose messages: only for those who know who said what anyway."""
    given = form.value("with")
    if given is None:
        return None
    try:
        jid = JID.parse(given)
    except InvalidJID as problem:
        raise BadRequest(str(problem)) from None
    if jid.bare == room.jid.bare:
        occupant = room.occupant(jid.resource) if jid.resource else None
        if jid.resource and occupant is None:
            raise ItemNotFound
        return None if occupant is None else occupant.jid.full
    if room.configuration.anonymous and room.standing(sender).role is not Role.MODERATOR:
        raise Forbidden("addresses are hidden in this room")
    return jid.bare


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    at = moment(text)
    if at is None:
        raise BadRequest("a time is written like 2026-01-31T12:00:00Z")
    return at


def _id(text: str | None) -> int | None:
    return None if text is None else _some_id(text)


def _some_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ItemNotFound("there is no such message")
    return int(text)


def _paged(span: Span, asked: paging.Paging) -> tuple[Span, bool]:
    if asked.start is not None:
        raise BadRequest("pages are asked for by ids")
    if asked.after is not None:
        after = _some_id(asked.after)
        return span._replace(after=after if span.after is None else max(after, span.after)), False
    if asked.before:
        before = _some_id(asked.before)
        upper = before if span.before is None else min(before, span.before)
        return span._replace(before=upper), True
    return span, asked.before is not None


def _known(request: Request, room: Room, span: Span, asked: paging.Paging) -> None:
    """Pages begin at messages that are there (XEP-0059 §2.5, XEP-0313 §4.1.3)."""
    named = [one for one in (asked.after, asked.before) if one]
    ids = {*map(_some_id, named), *(span.ids or ())}
    ids |= {_some_id(v) for v in _named_in_form(request)}
    if not ids:
        return
    found = request.host.store.rooms.messages(room.id, Span(ids=tuple(ids)), len(ids))
    if len(found) < len(ids):
        raise ItemNotFound("there is no such message")


def _named_in_form(request: Request) -> list[str]:
    form = form_in(request.tree())
    values = {} if form is None else form.values
    return [value for var in ("after-id", "before-id") for value in values.get(var, ())]


# -- what is answered --------------------------------------------------------------------------


def _send(request: Request, room: Room, page: list[RoomMessage]) -> None:
    assert request.sender is not None
    sees = room.sees_addresses(room.standing(request.sender).role)
    queryid = request.tree().get("queryid")
    packed = []
    for message in page:
        stanza = Stanza.unpack(message.stanza)
        forwarded = el(
            "forwarded",
            el("delay", xmlns=ns.DELAY, stamp=stamp(message.id)),
            Markup(_with_address(stanza, message.sender if sees else "")),
            xmlns=ns.FORWARD,
        )
        wrapped = child(ns.MAM, "result", forwarded, id=str(message.id), queryid=queryid)
        packed.append(Stanza("message", {"from": room.jid.full}, (wrapped,)).pack())
    post_all(request.host, room.jid.full, packed, request.sender)


def _with_address(stanza: Stanza, sender: str) -> str:
    """The message as XML of its own, without to."""
    children = tuple([c for c in stanza.children if (c.ns, c.name) != (ns.MUC_USER, "x")])
    if sender:
        children = (*children, child(ns.MUC_USER, "x", el("item", jid=sender)))
    attrs = {"xmlns": ns.CLIENT, **stanza.attrs}
    return Stanza("message", attrs, children).wire().decode()
