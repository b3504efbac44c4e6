"""What Prosody keeps in its directory of data, as a document of XEP-0227.

Its own migrator writes each account's file anew with every message, which takes hours for an
archive of some thousand; and it leaves out messages that wait, block lists and preferences.
"""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from hausbote.base.clock import exact_timestamp, moment
from hausbote.base.moment_ids import MICROSECONDS
from hausbote.moving.lua_tables import LuaError, Table, items, parse
from hausbote.xmpp import ns
from hausbote.xmpp.soundness import is_sound
from hausbote.xmpp.xml import Markup, el, escape_attribute, escape_text

_HASHES: Final = {40: "SHA-1", 64: "SHA-256"}  # by the digits of a key
_STAMPS: Final = ("stamp", "stamp_legacy")  # of Prosody's own, in what it keeps in lists
_DEFAULTS: Final = {True: "always", False: "never", "roster": "roster"}
_STRANGE: Final = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
_NAMESPACED: Final = "\1"
_DAMAGED: Final = "<damaged-item/>"  # something that is known nowhere, and told of


def is_data(directory: Path) -> bool:
    """Whether it is such a directory: it has accounts of some host."""
    return any(directory.glob("*/accounts/*.dat"))


def document(directory: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The document in pieces; LuaError, with the file's name, if one cannot be read."""
    yield f"<server-data xmlns='{ns.PIE}'>".encode()
    for host in sorted(path.parent for path in directory.glob("*/accounts")):
        yield f"<host jid='{escape_attribute(unquote(host.name))}'>".encode()
        for account in sorted((host / "accounts").glob("*.dat")):
            for piece in _User(host, account.stem, progress).all():
                yield piece.encode()
        yield b"</host>"
    yield b"</server-data>"


class _User:
    """One account; `stem` is its name as files have it."""

    def __init__(self, host: Path, stem: str, progress: Callable[[int], None]) -> None:
        self._host = host
        self._stem = stem
        self._progress = progress
        self._own = f"{unquote(stem)}@{unquote(host.name)}"

    def all(self) -> Iterator[str]:
        account = self._table("accounts").fields
        password = account.get("password")
        told = f" password='{escape_attribute(password)}'" if isinstance(password, str) else ""
        yield f"<user name='{escape_attribute(unquote(self._stem))}'{told}>"
        try:
            for part in self._small_parts(account):
                if part is not None:
                    yield f"{part}\n" if is_sound(part) else _DAMAGED
        except _STRANGE:
            raise LuaError(f"the files of {self._own} are not as Prosody writes them") from None
        yield f"<pubsub xmlns='{ns.PUBSUB}'>"
        for node in self._table("pep").fields:
            yield f"<items node='{escape_attribute(str(node))}'>"
            yield from self._list(f"pep_{node}", _item)
            yield "</items>"
        yield "</pubsub><offline-messages>"
        yield from self._list("offline", self._offline)
        yield f"</offline-messages><archive xmlns='{ns.PIE_ARCHIVE}'>"
        yield from self._list("archive", _archived)
        yield "</archive></user>"

    def _small_parts(self, account: dict[Any, Any]) -> Iterator[Markup | None]:
        created = account.get("created")
        yield el(
            "account",
            xmlns=ns.PIE_ACCOUNT,
            created=str(int(created)) if isinstance(created, int | float) else None,
            locked="true" if account.get("disabled") is True else None,
        )
        yield _keys(account)
        yield from _roster(self._table("roster").fields)
        vcard = self._table("vcard")
        yield element(vcard, "") if vcard.fields else None
        private = [element(one, "") for one in self._table("private").fields.values()]
        yield el("query", *private, xmlns=ns.PRIVATE)
        yield _blocked(self._table("blocklist").fields)
        yield _preferences(self._table("archive_prefs").fields)
        nodes = self._table("pep").fields.items()
        described = [part for name, node in nodes for part in _configuration(str(name), node)]
        yield el("pubsub", *described, xmlns=ns.PUBSUB_OWNER)

    def _offline(self, item: Table) -> Markup:
        stamp = exact_timestamp(_time(item))
        return element(item, ns.CLIENT, el("delay", xmlns=ns.DELAY, stamp=stamp))

    def _file(self, store: str, ending: str) -> Path | None:
        """Directories are called by their stores, some characters of which are written as %xx."""
        for directory in self._host.iterdir():
            if unquote(directory.name) == store:
                path = directory / f"{self._stem}.{ending}"
                return path if path.is_file() else None
        return None

    def _table(self, store: str) -> Table:
        path = self._file(store, "dat")
        if path is None:
            return Table({}, [])
        data = path.read_bytes()
        self._progress(len(data))
        try:
            return parse(data)
        except LuaError as problem:
            raise LuaError(f"{path}: {problem}") from None

    def _list(self, store: str, write: Callable[[Table], Markup]) -> Iterator[str]:
        path = self._file(store, "list")
        if path is None:
            return
        with path.open("rb") as file:
            try:
                for item in items(file):
                    yield _written(item, write)
            except LuaError as problem:
                raise LuaError(f"{path}, {problem}") from None
        self._progress(path.stat().st_size)


def _written(item: Table, write: Callable[[Table], Markup]) -> str:
    try:
        markup = write(item)
    except _STRANGE:
        return _DAMAGED
    return f"{markup}\n" if is_sound(markup) else _DAMAGED


def element(table: Table, xmlns: str, *more: Markup) -> Markup:
    """XML as Prosody keeps it; in `xmlns` if it does not say otherwise."""
    name, attributes = str(table.fields["name"]), table.fields["attr"].fields
    known = {
        key: str(value)
        for key, value in attributes.items()
        if _NAMESPACED not in key and not ("when" in table.fields and key in _STAMPS)
    }
    if xmlns:
        known.setdefault("xmlns", xmlns)
    start = "".join([f" {key}='{escape_attribute(value)}'" for key, value in known.items()])
    inner = [
        element(one, "") if isinstance(one, Table) else escape_text(str(one)) for one in table.items
    ]
    return Markup(f"<{name}{start}>{''.join([*more, *inner])}</{name}>")


def _time(item: Table) -> int:
    """When it came, in microseconds since 1970."""
    when = item.fields.get("when")
    stamp = moment(str(item.fields["attr"].fields.get("stamp", "")))
    return stamp if stamp is not None else round(when * MICROSECONDS) if when else 0


def _archived(item: Table) -> Markup:
    delay = el("delay", xmlns=ns.DELAY, stamp=exact_timestamp(_time(item)))
    forwarded = el("forwarded", delay, element(item, ns.CLIENT), xmlns=ns.FORWARD)
    return el("result", forwarded, xmlns=ns.MAM, id=str(item.fields["key"]))


def _item(item: Table) -> Markup:
    return el("item", element(item, ""), id=str(item.fields["key"]))


def _keys(account: dict[Any, Any]) -> Markup | None:
    stored = account.get("stored_key")
    if not isinstance(stored, str):
        return None
    try:
        stored_key, server_key = bytes.fromhex(stored), bytes.fromhex(account["server_key"])
    except (ValueError, TypeError, KeyError):
        raise LuaError("the keys of an account are damaged") from None
    return el(
        "scram-credentials",
        el("iter-count", str(account.get("iteration_count"))),
        el("salt", _base64(str(account.get("salt")).encode())),
        el("server-key", _base64(server_key)),
        el("stored-key", _base64(stored_key)),
        xmlns=ns.PIE_SCRAM,
        mechanism=f"SCRAM-{_HASHES.get(len(stored), 'SHA-1')}",
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _roster(roster: dict[Any, Any]) -> Iterator[Markup]:
    """Contacts, and requests that nobody has answered, each of them a stanza or only a mark."""
    contacts = []
    for jid, item in roster.items():
        if isinstance(jid, str) and "subscription" in item.fields:
            groups = item.fields.get("groups") or Table({}, [])
            contacts.append(
                el(
                    "item",
                    *[el("group", str(group)) for group in groups.fields],
                    jid=jid,
                    name=item.fields.get("name"),
                    subscription=str(item.fields["subscription"]),
                    ask="subscribe" if item.fields.get("ask") == "subscribe" else None,
                    approved="true" if item.fields.get("approved") else None,
                )
            )
    yield el("query", *contacts, xmlns=ns.ROSTER)
    pending = roster[False].fields.get("pending") if False in roster else roster.get("pending")
    for jid, request in pending.fields.items() if isinstance(pending, Table) else ():
        if isinstance(request, Table) and "name" in request.fields:
            yield element(request, ns.CLIENT)
        else:
            yield el("presence", xmlns=ns.CLIENT, type="subscribe", from_=str(jid))


def _blocked(jids: dict[Any, Any]) -> Markup | None:
    items = [
        el("item", type="jid", value=jid, action="deny", order=str(number))
        for number, jid in enumerate([jid for jid in jids if isinstance(jid, str)], 1)
    ]
    lists = el("list", *items, name="blocked")
    return el("query", el("default", name="blocked"), lists, xmlns=ns.PRIVACY) if items else None


def _preferences(wishes: dict[Any, Any]) -> Markup | None:
    if not wishes:
        return None
    lists = [
        el(name, *[el("jid", str(jid)) for jid, on in wishes.items() if jid and on is wanted])
        for name, wanted in (("always", True), ("never", False))
    ]
    default = _DEFAULTS.get(wishes.get(False, True), "always")
    return el("prefs", *lists, xmlns=ns.MAM, default=default)


def _configuration(name: str, node: Any) -> Iterator[Markup]:
    """A node that has nothing of its own is written as true."""
    known = node.fields if isinstance(node, Table) else {}
    config = known.get("config") or Table({}, [])
    fields = [
        el("field", *[el("value", one) for one in _values(value)], var=f"pubsub#{option}")
        for option, value in config.fields.items()
    ]
    kind = el("field", el("value", ns.PUBSUB_CONFIG), var="FORM_TYPE", type="hidden")
    yield el("configure", el("x", kind, *fields, xmlns=ns.DATA_FORMS, type="submit"), node=name)
    affiliations = known.get("affiliations") or Table({}, [])
    rows = [
        el("affiliation", jid=str(jid), affiliation=str(what))
        for jid, what in affiliations.fields.items()
    ]
    yield el("affiliations", *rows, node=name)
    subscribers = known.get("subscribers") or Table({}, [])
    rows = [
        el("subscription", jid=str(jid), subscription="subscribed") for jid in subscribers.fields
    ]
    yield el("subscriptions", *rows, node=name)


def _values(value: Any) -> list[str]:
    if isinstance(value, Table):
        return [str(one) for one in (value.items or value.fields)]
    return [str(int(value)) if isinstance(value, bool) else str(value)]
