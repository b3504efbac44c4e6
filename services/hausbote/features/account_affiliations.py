"""What somebody is to this server (XEP-0489): an admin, a member, or somebody who registered.

It is told to those who have to do with an account already: itself, who may see its presence, the
box's own services, and servers where one of its clients is right now, say in a room: with the
presence that it goes there with, and when they ask.  Everybody else is refused, whether there is
such an account or not.
"""

from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.contacts import is_subscribed
from hausbote.features.presence import Directed
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.stanza import Child, Stanza, child

feature = Feature(
    "account affiliations",
    xeps={"0489": "0.1.0"},
    partial={"0489": "told when asked and in directed presence; in no other stanzas"},
    disco=(ns.ACCOUNT_AFFILIATIONS, f"{ns.ACCOUNT_AFFILIATIONS}#embed-presence-directed"),
)

_DAY: Final = 86_400


class _Told:
    """What a client's presence says of its account, once it was looked up."""

    __slots__ = ("info",)

    def __init__(self) -> None:
        self.info: Child | None = None


@feature.iq("get", ns.ACCOUNT_AFFILIATIONS, "query", Target.ACCOUNT)
def affiliation(request: Request) -> Child:
    host, local = request.host, request.to.local
    if request.sender is None or not _may_know(host, local, request.sender):
        raise ServiceUnavailable  # as for an account that does not exist
    return _info(host, local, own=request.own)


@feature.stamp
def embed(host: Host, session: Session, presence: Stanza) -> Stanza:
    """Nobody says it but us, and only to other servers' people who are no contacts (§4.4)."""
    said = [c for c in presence.children if (c.ns, c.name) != (ns.ACCOUNT_AFFILIATIONS, "info")]
    to = None if presence.to is None else JID.parse(presence.to)
    if to is not None and _is_elsewhere(host, to):
        if not is_subscribed(host, session.account.local, to):
            told = session.state(_Told)
            if told.info is None:
                told.info = _info(host, session.account.local, own=False)
            said.append(told.info)
    elif len(said) == len(presence.children):
        return presence
    return presence.with_children(tuple(said))


def _is_elsewhere(host: Host, jid: JID) -> bool:
    ours = jid.domain == host.domain or jid.domain in host.services
    return not (ours or jid.domain in host.neighbours or jid.domain in host.outlets)


def _info(host: Host, local: str, *, own: bool) -> Child:
    account = host.store.accounts.get(local)
    if account is None:
        raise ServiceUnavailable
    word, since = "member", None
    if account.admin and own:  # to others admins are members (§4.4)
        word = "admin"
    elif host.settings.registration == "open":
        word, since = "registered", timestamp(account.created // _DAY * _DAY)
    return child(ns.ACCOUNT_AFFILIATIONS, "info", affiliation=word, since=since)


def _may_know(host: Host, local: str, who: JID) -> bool:
    if is_subscribed(host, local, who):
        return True
    if who.domain == host.domain:
        return False
    if not _is_elsewhere(host, who):
        return True
    online = host.directory.online(local)
    return online is not None and any(
        JID.parse(jid).domain == who.domain
        for session in online.sessions.values()
        for jid in session.state(Directed).jids
    )
