"""Retracted messages leave a tombstone in the archives of this box (XEP-0424 §4)."""

from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.domains import server_of
from hausbote.base.jid import JID, InvalidJID
from hausbote.core.bus.cause import Pending
from hausbote.core.host import Host
from hausbote.core.throttle import Throttle
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, start_tag
from hausbote.xmpp.xml import el, escape_attribute, start_tag_attributes

_LOOKED_AT: Final = 1_000  # messages with that peer, the newest ones: a millisecond's work
_BURIALS: Final = 60  # per minute and sender


class _Burials:
    """How many tombstones who has asked for."""

    __slots__ = ("throttle",)

    def __init__(self) -> None:
        self.throttle = Throttle(_BURIALS, 60.0, party=server_of)


def bury(
    host: Host, stanza: Stanza, entries: list[tuple[str, str]], tickets: list[Pending]
) -> None:
    """If the message, which is on its way into these archives, retracts an older one of the same
    sender, put a tombstone in that one's place."""
    retract = stanza.child(ns.RETRACT, "retract")
    wanted = "" if retract is None else start_tag(retract).get("id", "")
    if wanted in ("", stanza.id) or stanza.id is None or stanza.sender is None:
        return
    sender = JID.parse(stanza.sender)
    # In a room many people speak from one bare JID.
    exact = sender.domain in host.services or sender.domain in host.outlets
    author = sender.full if exact else sender.bare
    stamp = timestamp(host.clock())
    stone = el("retracted", xmlns=ns.RETRACT, id=stanza.id, stamp=stamp).encode()
    attribute = f" id='{escape_attribute(wanted)}'".encode()

    def tombstone(message: bytes) -> bytes | None:
        head = message[: message.index(b">")]
        if attribute not in head or _sender(head, exact) != author:
            return None
        return head + b">" + stone + b"</message>"

    throttle = host.state(_Burials).throttle
    if not throttle.exceeded(sender.bare):  # beyond that the retraction alone must do
        throttle.note(sender.bare)
        tickets.append(host.store.archives.rewrite(entries, tombstone, _LOOKED_AT))


def _sender(head: bytes, exact: bool) -> str:
    """The JID that a message's start tag names as its sender, bare unless `exact`."""
    try:
        sender = JID.parse(start_tag_attributes(f"{head.decode()}>").get("from", ""))
        return sender.full if exact else sender.bare
    except InvalidJID:
        return ""
