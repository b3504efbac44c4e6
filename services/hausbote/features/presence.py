"""Being available, and telling those who may know (RFC 6121 §4).

A broadcast is written once: only the to address differs between the copies.
"""

import math
import re
import time
from typing import Final

from hausbote.base.jid import JID
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host
from hausbote.core.request import Presence
from hausbote.core.session import Session
from hausbote.features.blocklist import apart
from hausbote.features.contacts import contacts_of, is_subscribed, may_see, sees
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, ResourceConstraint
from hausbote.xmpp.soundness import leaves_packed
from hausbote.xmpp.stanza import Stanza, stanza
from hausbote.xmpp.xml import escape_attribute

feature = Feature("presence")

_PRIORITY: Final = re.compile(r"\s*[+-]?[0-9]{1,3}\s*\Z", re.ASCII)
_MAX_DIRECTED: Final = 1_000  # people who are not contacts, per session


class Directed:
    """Whom a session sent its presence directly, and who must hear when it goes (§4.6).

    True for its address in a room that it entered (XEP-0045 §7.2), of which there is one per room.
    """

    __slots__ = ("jids",)

    def __init__(self) -> None:
        self.jids: dict[str, bool] = {}


class Goodbye:
    """The status with which a session became unavailable."""

    __slots__ = ("status",)

    def __init__(self) -> None:
        self.status = ""


# -- from a client of ours ---------------------------------------------------------------------


@feature.outbound("available")
def available(presence: Presence) -> None:
    session = presence.session
    assert session is not None
    presence = presence._replace(stanza=stamped(presence.host, session, presence.stanza))
    if presence.to is not None:
        _direct(presence, session)
        return
    priority = _priority(presence.stanza)
    host, initial = presence.host, session.presence is None
    becomes_ready = priority >= 0 and (initial or session.priority < 0)
    if becomes_ready:
        session.hold()  # messages that come from now on; READY lets them go
        session.ready_since = time.time()
    elif priority < 0:
        session.ready_since = math.inf
    session.presence, session.priority = presence.stanza, priority
    try:
        broadcast(host, session, presence.stanza)
        if initial:
            _greet(host, session)
        for hook in host.registry.hooks(Moment.SEEN):
            hook(host, session)
    finally:
        for hook in host.registry.hooks(Moment.READY) if becomes_ready else ():
            hook(host, session)


def stamped(host: Host, session: Session, presence: Stanza) -> Stanza:
    """An available presence with what features add to it."""
    for stamp in host.registry.stamps:
        presence = stamp(host, session, presence)
    return presence


@feature.outbound("unavailable")
def unavailable(presence: Presence) -> None:
    session = presence.session
    assert session is not None
    if presence.to is not None:
        session.state(Directed).jids.pop(presence.to.full, None)
        route(presence.host, presence.stanza, session)
    else:
        _leave(presence.host, session, presence.stanza)


@feature.outbound("probe")
def pass_probe(presence: Presence) -> None:
    if presence.to is None:
        raise BadRequest("a probe needs a to address")
    route(presence.host, presence.stanza, presence.session)


@feature.on(Moment.GONE)
def gone(host: Host, session: Session) -> None:
    """The client went without a word (§4.5.2): say it on its behalf."""
    _leave(host, session, stanza("presence", from_=session.jid.full, type="unavailable"))


def _priority(presence: Stanza) -> int:
    text = presence.text(ns.CLIENT, "priority")
    if text is None:
        return 0
    if not _PRIORITY.match(text):
        raise BadRequest("a priority is a number")
    priority = int(text)
    if not -128 <= priority <= 127:
        raise BadRequest("a priority is between -128 and 127")
    return priority


def _direct(presence: Presence, session: Session) -> None:
    jids, to = session.state(Directed).jids, presence.recipient
    before = address_in(session, to.bare)
    if before is None and to.full not in jids and len(jids) >= _MAX_DIRECTED:
        raise ResourceConstraint("presence was sent to too many people directly")
    if before is not None:
        del jids[before]
    entered = before is not None or presence.stanza.child(ns.MUC, "x") is not None
    jids[to.full] = entered
    route(presence.host, presence.stanza, session)


def address_in(session: Session, room: str) -> str | None:
    """The session's address in a room, by that room's bare JID; None if it is not there."""
    for jid, entered in session.state(Directed).jids.items():
        if entered and jid.partition("/")[0] == room:
            return jid
    return None


def rooms_of(session: Session) -> list[str]:
    """The session's addresses in the rooms that it entered."""
    return [jid for jid, entered in session.state(Directed).jids.items() if entered]


def _leave(host: Host, session: Session, goodbye: Stanza) -> None:
    was_available = session.presence is not None
    if was_available:
        session.state(Goodbye).status = goodbye.text(ns.CLIENT, "status") or ""
        broadcast(host, session, goodbye)  # to the session itself, too (§4.5.2)
        session.presence, session.priority = None, 0
        for hook in host.registry.hooks(Moment.LEFT):
            hook(host, session)
    directed = session.state(Directed).jids
    items = contacts_of(host, session.account).items if directed else {}
    for jid in sorted(directed):
        item = items.get(JID.parse(jid).bare)
        if not was_available or item is None or not may_see(item):
            route(host, goodbye.replace(to=jid))
    directed.clear()


def broadcast(host: Host, session: Session, presence: Stanza) -> None:
    """To all who may see the account, and to its own other clients (§4.2.2, §4.4.2)."""
    before, after = presence.around()
    head, tail = before.encode(), after.encode()
    online = host.directory.online
    for subscriber in contacts_of(host, session.account).subscribers(host.domain):
        if not subscriber.local:
            route(host, presence.replace(to=subscriber.jid))
            continue
        account = online(subscriber.local)
        if account is not None:
            data = head + subscriber.to + tail
            for other in account.sessions.values():
                if other.presence is not None and not apart(host, session.jid, other.jid):
                    other.write(data, presence)
    data = head + escape_attribute(session.jid.bare).encode() + tail
    for own in session.account.available():
        own.write(data, presence)


def _greet(host: Host, session: Session) -> None:
    """What a client sees when it comes: its other clients, its contacts, requests (§4.2.2)."""
    for own in session.account.available():
        if own is not session and own.presence is not None:
            session.send(own.presence.replace(to=session.jid.bare))
    items = list(contacts_of(host, session.account).items.values())
    not_granted: frozenset[str] = frozenset()
    if any(sees(item) for item in items):
        not_granted = host.store.rosters.not_granted(session.account.local, host.domain)
    for item in items:
        if item.jid in not_granted:
            _hear_no(host, session, item.jid)
        elif sees(item):
            _look_up(host, session, item.jid)
        elif item.ask:
            route(host, stanza("presence", from_=session.jid.bare, to=item.jid, type="subscribe"))
    for request in host.store.rosters.requests(session.account.local):
        if not session.reachable:
            break
        if not leaves_packed(request.stanza):
            continue
        asked = Stanza.unpack(request.stanza)
        if not apart(host, session.jid, JID.parse(asked.attrs["from"])):
            session.send(asked)


def _look_up(host: Host, session: Session, jid: str) -> None:
    contact = JID.parse(jid)
    if contact.domain != host.domain:
        route(host, stanza("presence", from_=session.jid.full, to=jid, type="probe"))
        return
    account = host.directory.online(contact.local)
    if account is not None and is_subscribed(host, contact.local, session.jid):
        for other in account.available():
            if other.presence is not None and not apart(host, other.jid, session.jid):
                session.send(other.presence.replace(to=session.jid.full))


def _hear_no(host: Host, session: Session, jid: str) -> None:
    """What another server would say to the probe (§4.3.2): the two rosters went different ways,
    because one of the two blocked the other when it was told.  Now it is in step again."""
    if not apart(host, JID.parse(jid), session.jid):
        route(host, stanza("presence", from_=jid, to=session.jid.bare, type="unsubscribed"))


# -- to an account of ours ---------------------------------------------------------------------


@feature.inbound("available", "unavailable")
def deliver(presence: Presence) -> None:
    """To the client named, or to all available ones (§8.5.2.1.2, §8.5.3)."""
    to = presence.recipient
    for witness in presence.host.registry.witnesses:
        witness(presence)
    account = presence.host.directory.online(to.local)
    if account is None:
        return
    if to.resource:
        session = account.sessions.get(to.resource)
        targets = [] if session is None else [session]
    else:
        targets = account.available()
    for target in targets:
        target.send(presence.stanza)


@feature.inbound("probe")
def answer_probe(presence: Presence) -> None:
    """Someone asks whether an account is here (§4.3.2).

    Whoever may not know gets the same answer as for an account that does not exist.
    """
    host, to, asker = presence.host, presence.recipient, presence.sender
    if not is_subscribed(host, to.local, asker):
        route(host, stanza("presence", from_=to.bare, to=asker.bare, type="unsubscribed"))
        return
    account = host.directory.online(to.local)
    sessions = account.available() if account is not None else []
    if to.resource:
        sessions = [session for session in sessions if session.jid.resource == to.resource]
    for session in sessions:
        assert session.presence is not None
        route(host, session.presence.replace(to=asker.full))
    if not sessions:
        route(host, stanza("presence", from_=to.full, to=asker.full, type="unavailable"))


def _unpack(_host: Host, session: Session, jids: dict[str, bool]) -> None:
    session.state(Directed).jids.update(jids)


feature.keeps("directed presence", lambda session: session.state(Directed).jids, _unpack)
