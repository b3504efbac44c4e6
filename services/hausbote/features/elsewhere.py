"""People of other servers, and of components, as the clients here see them.

A server, or a component, that cannot be reached says no goodbye for its people: they would be shown
as available for ever.  So it is remembered whose clients elsewhere were announced to an account.
When it is known that a server is away, or a presence for somebody there is answered with that
error, the goodbye is said here; when the server is back its people are asked after again.
"""

from collections.abc import Iterable
from typing import Final

from hausbote.base.jid import JID
from hausbote.base.shares import Shares
from hausbote.core.directory import Account
from hausbote.core.dispatch import route
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host, breathe
from hausbote.core.request import Presence
from hausbote.core.session import Session
from hausbote.features.contacts import contacts_of, sees
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Stanza, stanza

feature = Feature("people elsewhere")

_MAX_SEEN: Final = 2_000  # clients elsewhere that one account is shown
_AWAY: Final = ("remote-server-not-found", "remote-server-timeout")


class Seen:
    """The clients elsewhere that an account's own were shown as available, by full JID; every
    contact has a share."""

    __slots__ = ("jids",)

    def __init__(self) -> None:
        self.jids: Shares[str, JID] = Shares(_MAX_SEEN)


@feature.witness
def remember(presence: Presence) -> None:
    host, sender, local = presence.host, presence.sender, presence.recipient.local
    account = host.directory.online(local)
    if sender.domain == host.domain or not sender.local or account is None:
        return
    seen = account.state(Seen).jids
    if presence.stanza.type != "unavailable":
        seen.put(sender.full, sender.bare, sender)
    elif sender.resource:
        seen.pop(sender.full)
    else:
        _take(seen, [jid for jid in seen.values() if jid.bare == sender.bare])


@feature.on(Moment.LEFT)
def forget(_host: Host, session: Session) -> None:
    """Whoever comes next is told anew."""
    if not session.account.available():
        session.account.state(Seen).jids = Shares(_MAX_SEEN)


@feature.inbound("error")
def failed(presence: Presence) -> None:
    """What somebody sent did not arrive; if their server is away, so are they."""
    host, to, sender = presence.host, presence.recipient, presence.sender
    account = host.directory.online(to.local)
    if account is None:
        return
    if _says_away(presence.stanza):
        _say_goodbye(account, [j for j in _seen(account) if j.bare == sender.bare])
    named = account.sessions.get(to.resource) if to.resource else None
    for session in [named] if to.resource else account.available():
        if session is not None and session.reachable:
            session.send(presence.stanza)


@feature.inbound("server error")
def server_is_away(presence: Presence) -> None:
    """Nobody of that server can be reached."""
    domain = presence.sender.domain
    for account in presence.host.directory.online_accounts():
        _say_goodbye(account, [jid for jid in _seen(account) if jid.domain == domain])


@feature.inbound("server available")
def server_is_back(presence: Presence) -> None:
    """Ask after its people: what they did meanwhile was not told."""
    host, domain = presence.host, presence.sender.domain
    for account in host.directory.online_accounts():
        items = contacts_of(host, account).items.values()
        people = [one.jid for one in items if sees(one) and JID.parse(one.jid).domain == domain]
        for session in account.available() if people else ():
            for jid in people:
                breathe()
                probe = stanza("presence", from_=session.jid.full, to=jid, type="probe")
                route(host, probe)


def _says_away(error: Stanza) -> bool:
    reason = error.child(ns.CLIENT, "error")
    return reason is not None and any(f"<{condition} " in reason.xml for condition in _AWAY)


def _seen(account: Account) -> list[JID]:
    return list(account.state(Seen).jids.values())


def _take(seen: Shares[str, JID], gone: Iterable[JID]) -> None:
    for jid in gone:
        seen.pop(jid.full)


def _say_goodbye(account: Account, gone: list[JID]) -> None:
    _take(account.state(Seen).jids, gone)
    for jid in gone:
        for session in account.available():
            goodbye = stanza("presence", from_=jid.full, to=session.jid.bare, type="unavailable")
            session.send(goodbye)


def _pack(session: Session) -> list[str]:
    return [jid.full for jid in _seen(session.account)]


def _unpack(_host: Host, session: Session, packed: list[str]) -> None:
    seen = session.account.state(Seen).jids
    for text in packed:
        jid = JID.parse(text)
        seen.put(jid.full, jid.bare, jid)


feature.keeps("people elsewhere", _pack, _unpack)
