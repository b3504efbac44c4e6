"""Making an account, changing its password and deleting it from a client (XEP-0077)."""

from hausbote.base.jid import InvalidJID, prepare_local
from hausbote.base.log import Event, log
from hausbote.core import dispatch
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Phase, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.features.clients import Access
from hausbote.features.closing import end_sessions, erase
from hausbote.features.newcomers import Newcomers, held_since
from hausbote.features.preauth import Shown, make_account, set_password
from hausbote.storage import AccountExists, Keys, Why
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotAcceptable,
    NotAllowed,
    ServiceUnavailable,
    StanzaError,
    StreamError,
    UnexpectedRequest,
)
from hausbote.xmpp.sasl import ScramKeys, keys_for
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, Tree, el

feature = Feature("register", xeps={"0077": "2.4"}, disco=(ns.REGISTER,))

_REMOVE = f"{{{ns.REGISTER}}}remove"
_MAX_PASSWORD = 1_023  # bytes


@feature.stream_feature(Phase.BEFORE_LOGIN)
def offer(host: Host) -> Markup | None:
    closed = host.settings.registration == "closed"
    return None if closed else el("register", xmlns=ns.REGISTER_FEATURE)


# -- strangers ---------------------------------------------------------------------------------


@feature.iq("get", ns.REGISTER, "query", Target.STRANGER)
def form(request: Request) -> Child:
    _only_if_allowed(request)
    name = request.state(Shown).name
    text = "Choose a password." if name else "Choose a user name and a password."
    fields = el("username", name or None), el("password")
    return child(ns.REGISTER, "query", el("instructions", text), *fields)


@feature.iq("set", ns.REGISTER, "query", Target.STRANGER)
def create(request: Request) -> None:
    """Make an account (§3.1), or with an invitation for that set another password."""
    host, shown = request.host, request.state(Shown)
    _only_if_allowed(request)  # before anything of the request is looked into
    newcomers = host.state(Newcomers)
    newcomers.admit(host, request.address, request.way)
    query = request.tree()
    if query.find(_REMOVE) is not None:
        raise UnexpectedRequest("log in first")  # §3.2
    local, password = _credentials(query, missing=NotAcceptable)  # §3.1
    if shown.name not in ("", local):
        raise NotAcceptable(Why.OTHER_NAME.value)
    if shown.for_password:
        _reset(request, local, password)
        return
    with newcomers.claim(host, local, invited=shown.name != ""):
        need_space(host)
        newcomers.count(host, request.address, request.way)
        keys = _keys(host, password)
        if shown.invitation is not None:
            make_account(host, shown, local, keys)
        else:
            _register(host, local, keys)
    log(Event.ACCOUNT_REGISTERED)


def _register(host: Host, local: str, keys: Keys) -> None:
    try:
        host.store.accounts.register(local, keys, held_since(host))
    except AccountExists:
        raise Conflict("this name is taken") from None


def _reset(request: Request, local: str, password: str) -> None:
    """Who may have had the old password is logged out."""
    host = request.host
    set_password(host, request.state(Shown), local, _keys(host, password))
    account = host.directory.account(local)
    end_sessions(host, account, StreamError("reset", "the password was changed"))


def _only_if_allowed(request: Request) -> None:
    registration = request.host.settings.registration
    if registration == "closed":
        raise ServiceUnavailable("accounts are made by the owner of this server")
    if registration == "invite" and request.state(Shown).invitation is None:
        raise Forbidden("an invitation is needed for an account here")


# -- owners of an account ----------------------------------------------------------------------


@feature.iq("get", ns.REGISTER, "query", Target.HOST, Target.ACCOUNT)
def current(request: Request) -> Child:
    """What is registered (§3.1.2)."""
    account = _own_account(request)
    text = el("instructions", "Choose another password.")
    fields = el("registered"), text, el("username", account.local), el("password")
    return child(ns.REGISTER, "query", *fields)


@feature.iq("set", ns.REGISTER, "query", Target.HOST, Target.ACCOUNT)
def change(request: Request) -> None:
    """Change the password (§3.3) or delete the account (§3.2).

    A new password is for keeping somebody out: tokens and all other sessions end with the old one.
    """
    account, query = _own_account(request), request.tree()
    _only_by_password(request)
    if query.find(_REMOVE) is not None:
        _delete(request, account)
        return
    local, password = _credentials(query, missing=BadRequest)  # §3.3
    if local != account.local:
        raise Forbidden("this is somebody else's account")
    keys = _keys(request.host, password)  # it takes a while,
    if request.session is None or request.session.gone:
        raise Forbidden("the session is over")  # and may have been ended by somebody's new password
    request.host.store.accounts.set_keys(local, keys)
    others = [one for one in account.sessions.values() if one is not request.session]
    for other in others:
        other.transport.end(StreamError("reset", "the password was changed"))
        dispatch.gone(request.host, other)


def _own_account(request: Request) -> Account:
    if request.session is None or (request.to.local and not request.own):
        raise ServiceUnavailable
    return request.session.account


def _only_by_password(request: Request) -> None:
    """In the portal both take the old one, and a browser that was left open is no way round."""
    session = request.session
    if session is not None and session.state(Access).agent.is_browser:
        raise NotAllowed("do this in the portal, with your password")


def _delete(request: Request, account: Account) -> None:
    if len(request.tree()) != 1:
        raise BadRequest("remove stands alone")
    erase(request.host, account)
    goodbye = StreamError("not-authorized", "the account was deleted")
    request.afterwards.append(lambda: end_sessions(request.host, account, goodbye))


# -- both --------------------------------------------------------------------------------------


def _credentials(query: Tree, missing: type[StanzaError]) -> tuple[str, str]:
    name = query.findtext(f"{{{ns.REGISTER}}}username")
    password = query.findtext(f"{{{ns.REGISTER}}}password")
    if name is None or password is None:
        raise missing("a user name and a password are needed")
    try:
        local = prepare_local(name)
    except InvalidJID as problem:
        raise NotAcceptable(str(problem)) from None
    if not password or len(password.encode()) > _MAX_PASSWORD:
        raise NotAcceptable("the password is empty or too long")
    return local, password


def _keys(host: Host, password: str) -> dict[str, ScramKeys]:
    try:
        keys: dict[str, ScramKeys] = host.compute(keys_for, password)
    except InvalidJID as problem:
        raise NotAcceptable(str(problem)) from None
    return keys
