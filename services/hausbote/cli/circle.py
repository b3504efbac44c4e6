"""hausbote circle: people who are each other's contacts and share a room, such as a family."""

import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from hausbote.base.jid import InvalidJID, prepare_local
from hausbote.base.settings import Settings
from hausbote.cli.addresses import local_part
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.core.bus.control import notify
from hausbote.rooms.configuration import Configuration, of_kind
from hausbote.storage import DestroyedRoom, Store, StoredAffiliation, StoredRoom
from hausbote.xmpp.invitations import invitation

_DAY: Final = 86_400
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
people_argument = click.argument("people", nargs=-1, required=True, metavar="JID...")


@click.group("circle")
def command() -> None:
    """Look after circles: people who see each other and share a room."""


@command.command("make")
@state_option
@click.argument("name")
@people_argument
@click.option("--title", default="", help="What people see. Default: the name.")
def make(state: Path, name: str, people: tuple[str, ...], title: str) -> None:
    """Make a circle; the first of its people owns its room."""
    settings = load_settings(state)
    locals = _locals(settings, people)
    with opened_store(settings) as store:
        _must_exist(store, locals)
        shown = title or name
        configuration = replace(of_kind("group"), name=shown, circle=shown)
        room = _room(settings, store, _checked(name), locals[0], configuration)
        _join(settings, store, room, locals, owner=locals[0])
    click.echo(f"{name}@{settings.names.rooms} is the room of {len(locals)} people now.")


@command.command("add")
@state_option
@click.argument("name")
@people_argument
def add(state: Path, name: str, people: tuple[str, ...]) -> None:
    """Take people into a circle."""
    settings = load_settings(state)
    locals = _locals(settings, people)
    with opened_store(settings) as store:
        room = _known(store, name)
        _must_exist(store, locals)
        there = _members(settings, store, room)
        _join(settings, store, room, [one for one in locals if one not in there])
    click.echo("They belong to it now.")


@command.command("remove")
@state_option
@click.argument("name")
@people_argument
def remove(state: Path, name: str, people: tuple[str, ...]) -> None:
    """Take people out of a circle; they stay each other's contacts nowhere but in other circles."""
    settings = load_settings(state)
    locals = _locals(settings, people)
    with opened_store(settings) as store:
        room = _known(store, name)
        there = _members(settings, store, room)
        left = [one for one in there if one not in locals]
        if not left:
            raise Problem(f"nobody would be left: 'hausbote circle delete {name}' ends it")
        _part(settings, store, room, there, [one for one in locals if one in there])
    click.echo("They do not belong to it any more.")


@command.command("delete")
@state_option
@click.argument("name")
def delete(state: Path, name: str) -> None:
    """End a circle and its room with all that was said there."""
    settings = load_settings(state)
    with opened_store(settings) as store:
        room = _known(store, name)
        there = _members(settings, store, room)
        notify(settings.bus_dir, "rooms", {"change": "destroyed", "room": name})
        kept = _kept_name(settings, store, room)
        store.rooms.destroy(room.id, kept, settings.limits.rooms_per_account).wait()
        _separate(settings, store, _group(room), there, there)
    click.echo("The circle was deleted.")


@command.command("list")
@state_option
def list_circles(state: Path) -> None:
    """Show all circles with their people."""
    settings = load_settings(state)
    with opened_store(settings) as store:
        for name in store.rooms.names():
            room = store.rooms.find(name)
            if room is not None and _group(room):
                people = " ".join(sorted(_members(settings, store, room)))
                click.echo(f"{name}: {people}")
    sys.stdout.flush()


# -- rooms -------------------------------------------------------------------------------------


def _checked(name: str) -> str:
    try:
        fits = _NAME.fullmatch(name) and prepare_local(name) == name
    except InvalidJID:
        fits = None
    if not fits:
        raise Problem(f"{name}: a circle's name has small letters, digits, dots and dashes")
    return name


def _room(
    settings: Settings, store: Store, name: str, owner: str, configuration: Configuration
) -> StoredRoom:
    if store.rooms.find(name) is not None:
        raise Problem(f"there is a room {name}@{settings.names.rooms} already")
    creator = f"{owner}@{settings.domain}"
    packed = configuration.pack()
    room = store.rooms.create(name, creator, time.time(), packed, public=False, limit=0)
    assert room is not None
    store.rooms.configure(room.id, packed, public=False).wait()
    return room._replace(config=packed)


def _known(store: Store, name: str) -> StoredRoom:
    room = store.rooms.find(name)
    if room is None or not _group(room):
        raise Problem(f"there is no circle {name}")
    return room


def _group(room: StoredRoom) -> str:
    return Configuration.unpack(room.config).circle


def _members(settings: Settings, store: Store, room: StoredRoom) -> list[str]:
    rows = store.rooms.affiliations(room.id)
    jids = [row.jid.partition("@") for row in rows if row.affiliation != "outcast"]
    return [local for local, _, domain in jids if domain == settings.domain]


def _kept_name(settings: Settings, store: Store, room: StoredRoom) -> DestroyedRoom | None:
    """So that nobody makes a room of that name into which the circle's clients would come back."""
    days = settings.rooms.destroyed_days
    if not days:
        return None
    rows = store.rooms.affiliations(room.id)
    owners = frozenset(row.jid for row in rows if row.affiliation == "owner")
    until = int(time.time() + days * _DAY)
    return DestroyedRoom(room.local, room.creator, until, "", True, owners, frozenset())


# -- people ------------------------------------------------------------------------------------


def _locals(settings: Settings, people: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(local_part(settings, jid) for jid in people))


def _must_exist(store: Store, locals: list[str]) -> None:
    missing = [local for local in locals if not store.accounts.exists(local)]
    if missing:
        raise Problem(*[f"there is no account {local}" for local in missing])


def _join(
    settings: Settings, store: Store, room: StoredRoom, new: list[str], owner: str = ""
) -> None:
    """Everybody who is new and everybody else see each other; all may enter the room."""
    _tell_clients(settings, store.circles.join(room.id, settings.domain, new, owner))
    if not _tell_rooms(settings, room, new):
        _invite_later(settings, store, room, new)


def _part(
    settings: Settings, store: Store, room: StoredRoom, there: list[str], gone: list[str]
) -> None:
    """Who goes and who stays lose each other, unless another group holds them together."""
    rows = [StoredAffiliation(f"{local}@{settings.domain}", "none", "", "") for local in gone]
    left = [one for one in there if one not in gone]
    owners = [row.jid for row in store.rooms.affiliations(room.id) if row.affiliation == "owner"]
    if left and not {f"{one}@{settings.domain}" for one in left} & set(owners):
        rows.append(StoredAffiliation(f"{left[0]}@{settings.domain}", "owner", "", ""))
    store.rooms.affiliate(room.id, rows).wait()
    _separate(settings, store, _group(room), there, gone)
    _tell_rooms(settings, room, [])


def _separate(
    settings: Settings, store: Store, group: str, there: list[str], gone: list[str]
) -> None:
    for local in there:
        others = [one for one in (there if local in gone else gone) if one != local]
        roster = store.rosters.load(local).items
        for other in others:
            item = roster.get(f"{other}@{settings.domain}")
            if item is None or group not in item.groups:
                continue
            groups = tuple(one for one in item.groups if one != group)
            if groups:
                store.rosters.put(local, item._replace(groups=groups))
            else:
                store.rosters.remove(local, item.jid)
    _tell_clients(settings, there)


def _tell_clients(settings: Settings, people: list[str]) -> None:
    """Of their contacts, if the box is running."""
    for local in people:
        notify(settings.bus_dir, "c2s", {"change": "roster", "account": local})


def _tell_rooms(settings: Settings, room: StoredRoom, new: list[str]) -> bool:
    """Who belongs to one, and whom to invite; False if the box is not running."""
    invited = " ".join(f"{local}@{settings.domain}" for local in new)
    message = {"change": "circle", "room": room.local, "new": invited}
    return notify(settings.bus_dir, "rooms", message)


def _invite_later(settings: Settings, store: Store, room: StoredRoom, new: list[str]) -> None:
    """Invitations that people find when they log in the next time."""
    address = f"{room.local}@{settings.names.rooms}"
    for local in new:
        message = invitation(address, address, f"{local}@{settings.domain}")
        store.offline.keep(local, message.pack(), time.time(), limit=0).wait()
