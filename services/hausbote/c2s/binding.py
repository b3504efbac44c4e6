"""Resource binding (RFC 6120 §7)."""

from typing import TYPE_CHECKING

from hausbote.base.jid import JID, InvalidJID, prepare_resource
from hausbote.base.tokens import token
from hausbote.c2s.management import hibernation
from hausbote.core import dispatch
from hausbote.core.directory import Account
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features.clients import Access
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, ResourceConstraint, StreamError
from hausbote.xmpp.stanza import Child, Stanza, result, tree
from hausbote.xmpp.xml import el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream


def bind(stream: "ClientStream", request: Stanza) -> Stanza:
    """Give the stream a resource and make it a session; returns the answer to the request."""
    payload = request.child(ns.BIND, "bind")
    if payload is None or request.type not in ("get", "set"):
        raise StreamError("not-authorized", "bind a resource first")
    if request.type != "set" or "id" not in request.attrs or len(request.children) != 1:
        raise BadRequest("binding is an IQ set with an id and one child element")
    session = take_resource(stream, _wanted(payload) or token(96))
    dispatch.bound(stream.server.host, session)
    jid = el("jid", session.jid.full)
    return result(request, Child(ns.BIND, "bind", el("bind", jid, xmlns=ns.BIND)))


def take_resource(stream: "ClientStream", resource: str, *, alone: str = "") -> Session:
    """The stream's session with that resource, which `dispatch.bound` then makes known.

    `alone` is the id of an installation that has one session only.  Nothing may wait between the
    last look at who else is there and `dispatch.bound`.
    """
    login, host = stream.login, stream.server.host
    assert login is not None
    account = host.directory.account(login.local)
    _make_place(host, account, resource, alone)
    if not (host.directory.is_current(account) and host.store.accounts.may_log_in(login.local)):
        raise StreamError("not-authorized", "the account was deleted or locked")
    if login.agent.is_browser and not host.store.clients.exists(login.local, login.agent.id):
        raise StreamError("not-authorized", "access was revoked")
    session = Session(JID(account.local, host.domain, resource), account, stream)
    access = session.state(Access)
    access.agent, access.since = login.agent, host.clock()
    stream.welcome(session)
    return session


def _make_place(host: Host, account: Account, resource: str, alone: str) -> None:
    """End the sessions that the new one is instead of; it is looked anew after each.

    Seeing one off waits, and others may have bound, or begun to go, meanwhile.
    """
    limit = host.settings.limits.sessions_per_account
    while True:
        old = account.sessions.get(resource)
        same = _of_installation(account, alone)
        if old is not None:
            # The newer client wins: the older one is most often its own broken connection.
            _end(host, old, "another client took this resource")
        elif same is not None:
            _end(host, same, "the same client has logged in again")
        elif 0 < limit <= len(account.sessions):
            if not hibernation.make_room(host, account):
                raise ResourceConstraint("this account has as many clients online as it may")
        else:
            return


def _of_installation(account: Account, id: str) -> Session | None:
    """The older session of an installation: its own broken connection (XEP-0386 §3.2)."""
    sessions = account.sessions.values() if id else ()
    return next((one for one in sessions if one.state(Access).agent.id == id), None)


def _end(host: Host, session: Session, why: str) -> None:
    if not session.gone:
        session.transport.end(StreamError("conflict", why))
    dispatch.see_off(host, session)


def _wanted(payload: Child) -> str:
    text = tree(payload).findtext(f"{{{ns.BIND}}}resource") or ""
    if not text:
        return ""
    try:
        return prepare_resource(text)
    except InvalidJID as problem:
        raise BadRequest(str(problem)) from None
