"""Making invitations from a client (XEP-0401).

Everybody may invite others to be their contacts.  With such a link an account can be made as well,
if the settings let its maker invite people to the box.
"""

from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.jid import InvalidJID, prepare_local
from hausbote.base.log import Event, Word, log
from hausbote.core.command import Done, Values
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.features.account_names import doubts
from hausbote.features.invitation_links import links_of
from hausbote.features.newcomers import check_name
from hausbote.storage import Invitation, InvitationRefused, Kind, Why
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field, truth
from hausbote.xmpp.errors import BadRequest, ResourceConstraint, StanzaError

feature = Feature("invitations", xeps={"0401": "0.6.0"})

_DAY: Final = 86_400  # seconds


def _is_at_home(request: Request) -> bool:
    """Whether the sender is one of this box's people."""
    return request.session is not None


def may_invite(host: Host, local: str) -> bool:
    """Whether somebody may invite others to an account here."""
    if host.settings.registration == "closed":
        return False
    return host.settings.invitations.by == "members" or host.store.accounts.is_admin(local)


def _may_invite(request: Request) -> bool:
    session = request.session
    return session is not None and may_invite(request.host, session.account.local)


@feature.command(ns.INVITE, "Invite somebody", _is_at_home)
def invite(request: Request, _values: Values) -> Done:
    """A link for one person, without a question (§5.1)."""
    kind = Kind.FRIEND if _may_invite(request) else Kind.CONTACT
    return _made(request, kind, account=False)


def _form(_request: Request, _values: Values) -> DataForm:
    return DataForm(
        ns.INVITE_TO_ACCOUNT,
        (
            Field("username", (), "text-single", "User name, or nothing for any"),
            Field("roster-subscription", ("1",), "boolean", "Become contacts"),
        ),
        "Invite somebody to an account",
        "Who gets the link can make one account with it.",
    )


@feature.command(ns.INVITE_TO_ACCOUNT, "Invite somebody to an account", _may_invite, _form)
def create_account(request: Request, values: Values) -> Done:
    """A link for one account, whose name may be given (§5.4)."""
    wished = "".join(values.get("username", ())[:1]).strip()
    befriends = truth("".join(values.get("roster-subscription", ())[:1]).strip() or "0")
    if befriends is None:
        raise BadRequest("roster-subscription is true or false")
    try:
        name = prepare_local(wished) if wished else ""
    except InvalidJID as problem:
        return Done(error=f"This cannot be a user name: {problem}.")
    try:
        doubt = _look_at(request, name) if name else None
    except StanzaError as problem:
        return Done(error=f"This is no name for an account: {problem}.")
    made = _made(request, Kind.FRIEND if befriends else Kind.ACCOUNT, name, account=True)
    return made if made.error else made._replace(info=doubt)


def _look_at(request: Request, name: str) -> str | None:
    """What administrators should know of a name; others are refused what strangers are."""
    host, session = request.host, request.session
    if session is not None and host.store.accounts.is_admin(session.account.local):
        accounts = host.store.accounts.names()
        found: str | None = host.compute(doubts, host.settings, name, accounts)
        return found
    check_name(host, name)
    return None


def _made(request: Request, kind: Kind, name: str = "", *, account: bool) -> Done:
    host, session = request.host, request.session
    assert session is not None
    need_space(host)
    now = int(host.clock())
    until = now + host.settings.invitations.days * _DAY
    wanted = Invitation(kind=kind, until=until, inviter=session.account.local, name=name, made=now)
    try:
        invitation, token = host.store.invitations.create(wanted, host.settings.limits.invitations)
    except InvitationRefused as refused:
        if refused.why is Why.TOO_MANY:
            raise ResourceConstraint(refused.why.value) from None
        return Done(error=refused.why.value)
    log(Event.INVITATION_MADE, kind=Word(kind))
    uri, url = links_of(host.settings, invitation, token, account=account)
    fields = [Field("uri", (uri,), label="Link for a client")]
    if url:
        fields.append(Field("landing-url", (url,), label="Link for a browser"))
    fields.append(Field("expire", (timestamp(until),), label="Good until"))
    return Done(DataForm(ns.INVITATION, tuple(fields), "An invitation"))
