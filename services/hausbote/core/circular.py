"""What a room says to all who are in it: one stanza, which differs by its recipient's address only.

Its XML is written once, and kept once for all clients that have not acknowledged it.  No feature
keeps it, copies it or answers it.
"""

import time

from hausbote.base.jid import JID
from hausbote.core.bus.cause import Pending
from hausbote.core.claims import claimant
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.xmpp import ns
from hausbote.xmpp.acks import Sent
from hausbote.xmpp.errors import StanzaError
from hausbote.xmpp.stanza import Stanza


def is_of_room(host: Host, stanza: Stanza) -> bool:
    """Whether it may take this way."""
    if stanza.name == "message":
        return stanza.attrs.get("type") == "groupchat" and not _claims_ours(stanza)
    if stanza.name != "presence" or stanza.attrs.get("type") not in (None, "unavailable"):
        return False
    return _sender(stanza).domain == host.settings.names.rooms


def _claims_ours(message: Stanza) -> bool:
    """Whether it has what only we may say to our clients, and so must pass what strips that."""
    room = message.attrs["from"].partition("/")[0]
    for part in message.children:
        if part.ns == ns.CARBONS:
            return True
        if claimant(part) not in (None, room):
            return True
    return False


def deliver(host: Host, stanza: Stanza, recipients: tuple[str, ...]) -> list[Pending]:
    """Send it to clients of the box.

    Whoever is not here is left to `route`, which tells the sender.  What a recipient does not want
    is dropped without a word: an error would put them out of the room.
    """
    tickets: list[Pending] = []
    sender = _sender(stanza)
    before, after = stanza.around()
    owed = stanza if stanza.name == "message" else None
    shared = Sent(before.encode(), time.time(), owed, after.encode())
    for recipient in recipients:
        session = _session(host, recipient)
        if session is not None and session.reachable:
            wanted = _is_wanted(host, stanza, sender, session.jid)
            if not wanted or session.share(stanza, shared):
                continue
        tickets += route(host, stanza.replace(to=recipient))
    return tickets


def _sender(stanza: Stanza) -> JID:
    """Services name people as we do: there is nothing to prepare, or to remember."""
    bare, _, resource = stanza.attrs["from"].partition("/")
    local, _, domain = bare.rpartition("@")
    return JID(local, domain, resource)


def _session(host: Host, address: str) -> Session | None:
    bare, _, resource = address.partition("/")
    local, _, domain = bare.partition("@")
    account = host.directory.online(local) if domain == host.domain else None
    return None if account is None else account.sessions.get(resource)


def _is_wanted(host: Host, stanza: Stanza, sender: JID, to: JID) -> bool:
    try:
        for screen in host.registry.screens:
            if screen(host, stanza, sender, to, None):
                return False
    except StanzaError:
        return False
    return True
