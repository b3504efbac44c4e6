"""Making an account, changing its password and deleting it from a client (XEP-0077)."""

from hausbote.base.jid import InvalidJID, prepare_local
from hausbote.base.log import Event, log
from hausbote.core import dispatch
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Phase, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.features.closing import end_sessions, erase
from hausbote.features.newcomers import Newcomers, held_since
from hausbote.storage import AccountExists
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotAcceptable,
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
    is_open = host.settings.registration == "open"
    return el("register", xmlns=ns.REGISTER_FEATURE) if is_open else None


# -- strangers ---------------------------------------------------------------------------------


@feature.iq("get", ns.REGISTER, "query", Target.STRANGER)
def form(request: Request) -> Child:
    _only_if_open(request.host)
    text = el("instructions", "Choose a user name and a password.")
    return child(ns.REGISTER, "query", text, el("username"), el("password"))


@feature.iq("set", ns.REGISTER, "query", Target.STRANGER)
def create(request: Request) -> None:
    """Make an account (§3.1)."""
    host = request.host
    _only_if_open(host)  # before anything of the request is looked into
    newcomers = host.state(Newcomers)
    newcomers.admit(host, request.address, request.way)
    query = request.tree()
    if query.find(_REMOVE) is not None:
        raise UnexpectedRequest("log in first")  # §3.2
    local, password = _credentials(query, missing=NotAcceptable)  # §3.1
    with newcomers.claim(host, local):
        need_space(host)
        newcomers.count(host, request.address, request.way)
        keys = _keys(host, password)
        try:
            host.store.accounts.register(local, keys, held_since(host))
        except AccountExists:
            raise Conflict("this name is taken") from None
    log(Event.ACCOUNT_REGISTERED)


def _only_if_open(host: Host) -> None:
    if host.settings.registration != "open":
        raise ServiceUnavailable("accounts are made by the owner of this server")


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
