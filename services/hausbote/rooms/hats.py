"""Titles of a room's own for its people: host, teacher, scribe ... (XEP-0317)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.command import Done, Step, Values
from hausbote.core.feature import Feature
from hausbote.core.request import Request
from hausbote.rooms import announce
from hausbote.rooms.configuration import Hat
from hausbote.rooms.house import house_of
from hausbote.rooms.owner import tell
from hausbote.rooms.privileges import Action, may
from hausbote.rooms.room import Room
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.xml import Markup, el

feature = Feature("hats", xeps={"0317": "0.3.1"})

_MAX_HATS: Final = 100
_MAX_WORN: Final = 1_000
_MAX_TEXT: Final = 200
_NUMBER: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,15})?")
_TITLE: Final = Field("hats#title", (), "text-single", "Title", required=True)
_URI: Final = Field("hats#uri", (), "text-single", "URI", required=True)
_HUE: Final = Field("hats#hue", (), "text-single", "Hue")
_JID: Final = Field("hats#jid", (), "jid-single", "Who", required=True)


def _owners(request: Request) -> bool:
    """Hats are the affair of a room's owners."""
    room = house_of(request.host).find(request.to.local) if request.to.local else None
    sender = request.sender
    return room is not None and sender is not None and may(room.standing(sender), Action.CONFIGURE)


def _room(request: Request) -> Room:
    room = house_of(request.host).find(request.to.local)
    assert room is not None
    return room


def _form(title: str, *fields: Field) -> DataForm:
    return DataForm(ns.HATS_COMMANDS, fields, title)


def _choice(room: Room) -> Field:
    options = tuple((hat.uri, hat.title) for hat in room.configuration.hats)
    return Field("hats#uri", (), "list-single", "The hat", options, required=True)


def _one(values: Values, var: str) -> str:
    given = values.get(var) or [""]
    return given[0].strip()


def _save(request: Request, room: Room, hats: tuple[Hat, ...], worn: tuple[Hat, ...]) -> None:
    """Keep it, and show the new hats of everybody whose hats have changed."""
    before = {o: announce.hats_of(room, o.jid.full) for o in room.occupants.values()}
    changed = replace(room.configuration, hats=hats, worn=worn)
    house_of(request.host).configure(room, changed).wait()
    for occupant, had in before.items():
        if occupant.visits and announce.hats_of(room, occupant.jid.full) != had:
            for visit in occupant.visits:
                visit.forget_seen()
            announce.available(request.host, room, occupant.shown)


# -- commands ----------------------------------------------------------------------------------


def _asks(title: str, *fields: Field) -> Step:
    return lambda _request, _values: _form(title, *fields)


@feature.command(
    f"{ns.HATS_COMMANDS}:create",
    "Create a hat",
    _owners,
    _asks("Create a hat", _TITLE, _URI, _HUE),
)
def create(request: Request, values: Values) -> Done:
    """Make a hat, or change the one of that URI."""
    room = _room(request)
    uri, title, hue = (_one(values, f.var) for f in (_URI, _TITLE, _HUE))
    if not uri or not title or max(len(uri), len(title)) > _MAX_TEXT:
        return Done(error="A hat has a title and a URI.")
    if hue and not _is_hue(hue):
        return Done(error="A hue is an angle from 0 to 360.")
    others = tuple([hat for hat in room.configuration.hats if hat.uri != uri])
    if len(others) >= _MAX_HATS:
        return Done(error="The room has too many hats.")
    _save(request, room, (*others, Hat(uri, title, hue)), room.configuration.worn)
    tell(request.host, room, 104)
    return Done()


def _is_hue(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and float(text) <= 360


@feature.command(
    f"{ns.HATS_COMMANDS}:destroy",
    "Destroy a hat",
    _owners,
    lambda request, _values: _form("Destroy a hat", _choice(_room(request))),
)
def destroy(request: Request, values: Values) -> Done:
    """Nobody wears it any more."""
    room, uri = _room(request), _one(values, _URI.var) or _one(values, "hat")
    hats, worn = room.configuration.hats, room.configuration.worn
    if uri not in {hat.uri for hat in hats}:
        return Done(error="There is no such hat.")
    left = tuple([hat for hat in hats if hat.uri != uri])
    _save(request, room, left, tuple([one for one in worn if one.uri != uri]))
    tell(request.host, room, 104)
    return Done()


@feature.command(
    f"{ns.HATS_COMMANDS}:assign",
    "Give somebody a hat",
    _owners,
    lambda request, _values: _form("Give somebody a hat", _JID, _choice(_room(request))),
)
def assign(request: Request, values: Values) -> Done:
    room, uri, bare = _room(request), _one(values, _URI.var), _address(values)
    worn = room.configuration.worn
    if bare is None:
        return Done(error="This is no address.")
    if uri not in {hat.uri for hat in room.configuration.hats}:
        return Done(error="There is no such hat.")
    if len(worn) >= _MAX_WORN:
        return Done(error="Too many people wear hats.")
    one = Hat(uri, bare)
    if one not in worn:
        _save(request, room, room.configuration.hats, (*worn, one))
    return Done()


@feature.command(
    f"{ns.HATS_COMMANDS}:unassign",
    "Take a hat from somebody",
    _owners,
    lambda request, _values: _form("Take a hat from somebody", _JID, _choice(_room(request))),
)
def unassign(request: Request, values: Values) -> Done:
    room, uri, bare = _room(request), _one(values, _URI.var), _address(values)
    one = Hat(uri, bare or "")
    if one not in room.configuration.worn:
        return Done(error="They do not wear that hat.")
    left = tuple([other for other in room.configuration.worn if other != one])
    _save(request, room, room.configuration.hats, left)
    return Done()


@feature.command(f"{ns.HATS_COMMANDS}:list", "List the hats", _owners)
def list_hats(request: Request, _values: Values) -> Done:
    rows = [(hat.uri, hat.title, hat.hue) for hat in _room(request).configuration.hats]
    return _table("Hats", ("hats#uri", "hats#title", "hats#hue"), rows)


@feature.command(f"{ns.HATS_COMMANDS}:list-assigned", "List who wears which hat", _owners)
def list_assigned(request: Request, _values: Values) -> Done:
    room = _room(request)
    known = {hat.uri: hat for hat in room.configuration.hats}
    rows = [(one.title, one.uri, known[one.uri].title, known[one.uri].hue)
            for one in room.configuration.worn]  # fmt: skip
    return _table("Who wears which hat", ("hats#jid", "hats#uri", "hats#title", "hats#hue"), rows)


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Done:
    reported = el("reported", *[el("field", var=var) for var in names])
    items = [_row(names, row) for row in rows]
    inside = Markup("".join([reported, *items]))
    return Done(form=DataForm(ns.HATS_COMMANDS, (), title, inside=inside))


def _row(names: tuple[str, ...], row: tuple[str, ...]) -> Markup:
    cells = zip(names, row, strict=True)
    return el("item", *[el("field", el("value", value), var=var) for var, value in cells])


def _address(values: Values) -> str | None:
    try:
        return JID.parse(_one(values, _JID.var)).bare
    except InvalidJID:
        return None


def hash_of(room: Room) -> str | None:
    """Changes with the hats that there are; None without any."""
    hats = room.configuration.hats
    text = "\0".join([part for hat in sorted(hats) for part in hat])
    return hashlib.sha256(text.encode()).hexdigest()[:40] if hats else None
