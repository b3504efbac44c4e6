"""Showing an invitation before an account is made with it (XEP-0445).

A stream remembers the token that it has shown and when: until it ends, that the invitation expires
meanwhile does not matter (§4).  It is used up by `features/register.py`, together with what it is
for.
"""

from hausbote.base.log import Event, Word, log
from hausbote.core.exchange import announce_member
from hausbote.core.feature import Feature, Phase, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.features.newcomers import Newcomers, held_since
from hausbote.features.roster_changes import reread
from hausbote.storage import Invitation, InvitationRefused, Joined, Keys, Kind, Why
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    Conflict,
    ItemNotFound,
    NotAcceptable,
    ServiceUnavailable,
    StanzaError,
)
from hausbote.xmpp.xml import Markup, el

feature = Feature("invitations before the login", xeps={"0445": "0.2.0"})


class Shown:
    """The invitation that a stranger's stream has shown last, if it is good."""

    __slots__ = ("at", "invitation", "token")

    def __init__(self) -> None:
        self.invitation: Invitation | None = None
        self.token = ""
        self.at = 0.0  # seconds since 1970

    def forget(self) -> None:
        self.invitation, self.token = None, ""

    @property
    def name(self) -> str:
        """The only name that it is for; "" if that can be chosen."""
        return "" if self.invitation is None else self.invitation.name

    @property
    def for_password(self) -> bool:
        return self.invitation is not None and self.invitation.kind is Kind.RESET


@feature.stream_feature(Phase.BEFORE_LOGIN)
def offer(host: Host) -> Markup | None:
    closed = host.settings.registration == "closed"
    return None if closed else el("register", xmlns=ns.REGISTER_INVITED)


@feature.stream_feature(Phase.BEFORE_LOGIN)
def old_offer(host: Host) -> Markup | None:
    """By its name in XEP-0401 0.2, which is what most clients look for."""
    closed = host.settings.registration == "closed"
    return None if closed else el("register", xmlns=ns.OLD_REGISTER_INVITED)


@feature.iq("set", ns.PARS, "preauth", Target.STRANGER)
def show(request: Request) -> None:
    """Look whether a token is good (§4); wrong ones count as attempts to make an account."""
    host, shown = request.host, request.state(Shown)
    if host.settings.registration == "closed":
        raise ServiceUnavailable("accounts are made by the owner of this server")
    host.state(Newcomers).admit(host, request.address, request.way)
    shown.forget()
    token, now = request.tree().get("token", ""), host.surely()
    try:
        invitation = host.store.invitations.check(token, now)
    except InvitationRefused as refused:
        raise ItemNotFound(refused.why.value) from None
    if invitation.kind is Kind.CONTACT:
        raise ItemNotFound(Why.UNFIT.value)
    shown.invitation, shown.token, shown.at = invitation, token, now


def make_account(host: Host, shown: Shown, local: str, keys: Keys) -> None:
    """Use the invitation for a new account; StanzaError if that cannot be any more."""
    invitation = shown.invitation
    assert invitation is not None
    try:
        joined = host.store.invitations.use_for_account(
            shown.token, local, keys, domain=host.domain, now=shown.at, since=held_since(host)
        )
    except InvitationRefused as refused:
        raise _problem(shown, refused) from None
    shown.forget()
    log(Event.INVITATION_USED, kind=Word(invitation.kind))
    welcome(host, joined)


def set_password(host: Host, shown: Shown, local: str, keys: Keys) -> None:
    """Use the invitation for another password; StanzaError if that cannot be any more."""
    try:
        host.store.invitations.use_for_reset(shown.token, keys, now=shown.at, local=local)
    except InvitationRefused as refused:
        raise _problem(shown, refused) from None
    shown.forget()
    log(Event.INVITATION_USED, kind=Word(Kind.RESET))


def welcome(host: Host, joined: Joined) -> None:
    """Tell people who have a new contact, and rooms that have a new member."""
    for local in joined.changed:
        reread(host, local)
    for circle in joined.circles:
        announce_member(host, circle, joined.local)


def _problem(shown: Shown, refused: InvitationRefused) -> StanzaError:
    """A token that is over is shown no more; the server may still make accounts without."""
    if refused.why is Why.NAME_TAKEN:
        return Conflict(refused.why.value)
    if refused.why is Why.OTHER_NAME:
        return NotAcceptable(refused.why.value)
    shown.forget()
    return ItemNotFound(refused.why.value)
