"""What somebody is to this server (XEP-0489): an admin, a member, or somebody who registered.

It is told to those who have to do with an account already: itself, who may see its presence, the
box's own services, and servers where one of its clients is right now, say in a room.  Everybody
else is refused, whether there is such an account or not.
"""

from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.features.contacts import is_subscribed
from hausbote.features.presence import Directed
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ServiceUnavailable
from hausbote.xmpp.stanza import Child, child

feature = Feature(
    "account affiliations",
    xeps={"0489": "0.1.0"},
    partial={"0489": "told when asked; not put into stanzas"},
    disco=(ns.ACCOUNT_AFFILIATIONS,),
)

_DAY: Final = 86_400


@feature.iq("get", ns.ACCOUNT_AFFILIATIONS, "query", Target.ACCOUNT)
def affiliation(request: Request) -> Child:
    host, local = request.host, request.to.local
    account = host.store.accounts.get(local)
    if account is None or request.sender is None or not _may_know(host, local, request.sender):
        raise ServiceUnavailable  # as for an account that does not exist
    word, since = "member", None
    if account.admin and request.own:  # to others admins are members (§4.4)
        word = "admin"
    elif host.settings.registration == "open":
        word, since = "registered", timestamp(account.created // _DAY * _DAY)
    return child(ns.ACCOUNT_AFFILIATIONS, "info", affiliation=word, since=since)


def _may_know(host: Host, local: str, who: JID) -> bool:
    if is_subscribed(host, local, who):
        return True
    if who.domain == host.domain:
        return False
    if who.domain in host.services or who.domain in host.outlets:
        return True
    online = host.directory.online(local)
    return online is not None and any(
        JID.parse(jid).domain == who.domain
        for session in online.sessions.values()
        for jid in session.state(Directed).jids
    )
