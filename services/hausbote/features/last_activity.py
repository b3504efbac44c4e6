"""How long has the server run, and when was somebody last here? (XEP-0012)"""

from hausbote.core.feature import Feature, Moment, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.contacts import is_subscribed
from hausbote.features.presence import Goodbye
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden, ItemNotFound
from hausbote.xmpp.stanza import Child, child

feature = Feature("last activity", xeps={"0012": "2.0"}, disco=(ns.LAST,), account_disco=(ns.LAST,))

_MAX_STATUS = 1_000  # characters


@feature.iq("get", ns.LAST, "query", Target.HOST)
def uptime(request: Request) -> Child:
    return child(ns.LAST, "query", seconds=str(request.host.uptime()))


@feature.iq("get", ns.LAST, "query", Target.ACCOUNT)
def last_seen(request: Request) -> Child:
    """Only for people who may see the account's presence (§4)."""
    host, local = request.host, request.to.local
    if request.sender is None or not is_subscribed(host, local, request.sender):
        raise Forbidden
    account = host.directory.online(local)
    if account is not None:
        return child(ns.LAST, "query", seconds="0")
    last = host.store.activity.last(local)
    if last is None:
        raise ItemNotFound("this account was never here")
    seconds = max(0, int(host.clock() - last.at))
    return child(ns.LAST, "query", last.status or None, seconds=str(seconds))


@feature.iq("get", ns.LAST, "query", Target.CLIENT)
def guard(request: Request) -> None:
    """A client would tell how long its owner has been idle (§5)."""
    if request.sender is None or not is_subscribed(request.host, request.to.local, request.sender):
        raise Forbidden


@feature.on(Moment.LEFT)
def note(host: Host, session: Session) -> None:
    """Keep when the last client of an account became unavailable, and what it said."""
    if not session.account.available() and host.directory.is_current(session.account):
        status = session.state(Goodbye).status[:_MAX_STATUS]
        host.store.activity.left(session.account.local, host.clock(), status)
