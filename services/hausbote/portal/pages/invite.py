"""The page that an invitation leads to: an app for it, or an account at once in the browser."""

from functools import partial
from typing import Final

from werkzeug.wrappers import Response

from hausbote.base.portal_joins import IMPERSONATES, NO_SPACE, TOO_OFTEN
from hausbote.features.invitation_links import links_of
from hausbote.portal import people, sessions
from hausbote.portal.apps import PLATFORMS, apps_for, platform_of
from hausbote.portal.pages.login import let_in
from hausbote.portal.pictures import qr_code
from hausbote.portal.visit import Refused, Visit
from hausbote.storage import Invitation, InvitationRefused, Kind, Why

_GONE: Final = 410
_UNKNOWN: Final = 404


def show(visit: Visit, token: str) -> Response:
    return _page(visit, token, _open(visit, token), {})


def _open(visit: Visit, token: str) -> Invitation:
    """Refused with a page that says what became of it."""
    try:
        return visit.box.store.invitations.check(token, visit.box.clock())
    except InvitationRefused as refused:
        raise _over(visit, refused.why) from None


def _over(visit: Visit, why: Why) -> Refused:
    again = visit.say("Ask whoever sent it for a new one.")
    if why is Why.USED:
        used = visit.say("If that was you, log in with your name and password.")
        return Refused(_GONE, visit.say("This link was used already"), f"{used} {again}")
    if why is Why.EXPIRED:
        return Refused(_GONE, visit.say("This link has expired"), again)
    if why is Why.WITHDRAWN:
        return Refused(_GONE, visit.say("This link was withdrawn"), again)
    sentence = visit.say("Perhaps a part of the link is missing. Copy all of it, and try again.")
    return Refused(_UNKNOWN, visit.say("This link leads to no invitation"), sentence)


def _page(
    visit: Visit, token: str, invitation: Invitation, wrong: dict[str, str], status: int = 200
) -> Response:
    if invitation.kind is Kind.RESET:
        return visit.page("reset.html", status, invitation=invitation, token=token, wrong=wrong)
    settings = visit.box.settings
    links = links_of(settings, invitation, token)
    platform = platform_of(visit.request.headers.get("User-Agent", ""))
    asked = visit.request.args.get("for", "")
    platform = asked if asked in PLATFORMS else platform
    return visit.page(
        "invite.html",
        status,
        invitation=invitation,
        token=token,
        links=links,
        picture=qr_code(links.url, visit.say("QR code of the invitation")),
        platform=platform,
        apps=apps_for(visit.language, platform),
        can_join=invitation.for_account and settings.registration != "closed",
        name=visit.field("name") if wrong else invitation.name,
        wrong=wrong,
        days=max(1, round((invitation.until - visit.box.clock()) / 86_400)),
        left=invitation.times - invitation.used,
    )


def follow(visit: Visit, token: str) -> Response:
    """An account with the name and password that were typed, or another password; the invitation is
    used with that, or nothing is done at all."""
    invitation = _open(visit, token)
    is_reset = invitation.kind is Kind.RESET
    if not is_reset and (not invitation.for_account or visit.box.settings.registration == "closed"):
        raise _over(visit, Why.UNFIT)
    local, password, wrong = people.name_and_password(visit, named=not is_reset)
    if wrong:
        return _page(visit, token, invitation, wrong, 400)
    asking = visit.box.asking
    admitted = asking.admit(visit.address)
    if admitted.problem:
        return _problem(visit, token, invitation, admitted.problem)
    outcome = asking.join(token, local, people.keys(visit, password), visit.address)
    if outcome.problem:
        return _problem(visit, token, invitation, outcome.problem)
    begin = partial(sessions.begin, visit.box, outcome.local, *people.browser(visit))
    if is_reset:
        note = visit.say("Your password is changed. Other devices have to log in.")
        return let_in(visit, begin, "/", note)
    return let_in(visit, begin, "/welcome")


def _problem(visit: Visit, token: str, invitation: Invitation, problem: str) -> Response:
    """What c2s has found: of the name, of the invitation, of the network."""
    names = {
        Why.NAME_TAKEN.name.lower(): visit.say("This name is taken."),
        Why.OTHER_NAME.name.lower(): visit.say("The invitation is for another name."),
        IMPERSONATES: visit.say("This name could be taken for somebody else's. Choose another."),
    }
    if problem in names:
        return _page(visit, token, invitation, {"name": names[problem]}, 409)
    if problem == TOO_OFTEN:
        title = visit.say("Too many at once")
        raise Refused(429, title, visit.say("Many came from your network. Try again in an hour."))
    if problem == NO_SPACE:
        title = visit.say("The box is full")
        raise Refused(503, title, visit.say("Its disk has no room now. Tell whoever invited you."))
    raise _over(visit, Why[problem.upper()])


def welcome(visit: Visit) -> Response:
    """After joining: how to chat, now that there is an account."""
    platform = platform_of(visit.request.headers.get("User-Agent", ""))
    return visit.page("welcome.html", apps=apps_for(visit.language, platform))
