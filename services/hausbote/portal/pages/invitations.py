"""Invitations: to make one, to see which there are, to withdraw one."""

from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Response

from hausbote.features.invitation_links import links_of
from hausbote.portal.access import Who
from hausbote.portal.pictures import qr_code
from hausbote.portal.visit import Refused, Visit
from hausbote.storage import Invitation, InvitationRefused, Kind, Role, State, Why

_DAY: Final = 86_400
DAYS: Final = (1, 7, 30)
TIMES: Final = (1, 5, 20)
_NOTE: Final = 200  # characters


@dataclass(frozen=True)
class _Choice:
    """A kind of invitation as the form offers it."""

    kind: Kind
    title: str
    told: str


def _kinds(visit: Visit) -> list[_Choice]:
    """What this person may give."""
    settings, found = visit.box.settings, []
    everybody = settings.invitations.by == "members"
    if settings.registration != "closed" and (visit.who is Who.ADMINISTRATOR or everybody):
        found.append(
            _Choice(
                Kind.FRIEND,
                visit.say("Somebody who gets an account here"),
                visit.say("You two have each other as contacts at once."),
            )
        )
    if settings.registration != "closed" and visit.who is Who.ADMINISTRATOR:
        found.append(
            _Choice(
                Kind.ACCOUNT,
                visit.say("Somebody who gets an account, and is no contact of yours"),
                visit.say("For people of the house with whom you do not chat yourself."),
            )
        )
    found.append(
        _Choice(
            Kind.CONTACT,
            visit.say("Somebody who has an address elsewhere"),
            visit.say("You become contacts, and nobody has to confirm anything."),
        )
    )
    return found


def show_all(visit: Visit) -> Response:
    store, now = visit.box.store.invitations, visit.box.clock()
    is_owner = visit.who is Who.ADMINISTRATOR
    found = store.all() if is_owner else store.of(visit.local)
    opened = [one for one in found if one.state(now) is State.OPEN and one.kind is not Kind.RESET]
    over = [one for one in found if one.state(now) is not State.OPEN]
    return visit.page("invitations.html", opened=opened[::-1], over=over[::-1][:20])


def show_form(visit: Visit) -> Response:
    return _form(visit)


def _form(visit: Visit, wrong: str = "") -> Response:
    kinds = _kinds(visit)
    owner = visit.who is Who.ADMINISTRATOR
    chosen = visit.field("kind") if wrong else str(kinds[0].kind)
    return visit.page(
        "invitation_new.html",
        400 if wrong else 200,
        kinds=kinds,
        chosen=chosen,
        circles=visit.box.store.circles.all() if owner else [],
        days=DAYS,
        times=TIMES,
        wrong=wrong,
        note_typed=visit.field("note") if wrong else "",
        closed=visit.box.settings.registration == "closed" and owner,
    )


def make(visit: Visit) -> Response:
    """The token is shown on the page that answers, and never again."""
    asked = visit.field("kind")
    choice = next((one for one in _kinds(visit) if one.kind == asked), None)
    if choice is None:
        return _form(visit, visit.say("Choose for whom it is."))
    owner, now = visit.who is Who.ADMINISTRATOR, int(visit.box.clock())
    gives_account = choice.kind is not Kind.CONTACT
    as_administrator = owner and gives_account and visit.field("role") == Role.ADMINISTRATOR
    circles = visit.form.getlist("circle") if owner and gives_account else []
    wanted = Invitation(
        kind=choice.kind,
        until=now + _chosen(visit, "days", DAYS, 7) * _DAY,
        inviter=visit.local,
        circles=tuple(one[:200] for one in circles),
        role=Role.ADMINISTRATOR if as_administrator else Role.MEMBER,
        note=visit.field("note")[:_NOTE],
        times=1 if as_administrator else _chosen(visit, "times", TIMES, 1),
        made=now,
    )
    try:
        return show_made(visit, *_created(visit, wanted))
    except InvitationRefused as refused:
        return _form(visit, _why(visit, refused.why))


def _created(visit: Visit, wanted: Invitation) -> tuple[Invitation, str]:
    limit = visit.box.settings.limits.invitations
    return visit.box.store.invitations.create(wanted, limit)


def show_made(visit: Visit, made: Invitation, token: str) -> Response:
    """The only page that has the token."""
    links = links_of(visit.box.settings, made, token)
    picture = qr_code(links.url, visit.say("QR code of the invitation"))
    return visit.page("invitation_made.html", made=made, links=links, picture=picture)


def make_reset(visit: Visit, local: str) -> Response:
    """A link with which one person chooses another password."""
    now = int(visit.box.clock())
    wanted = Invitation(Kind.RESET, now + _DAY, visit.local, local, made=now)
    try:
        made, token = _created(visit, wanted)
    except InvitationRefused as refused:
        raise Refused(409, visit.say("There is no link"), _why(visit, refused.why)) from None
    return show_made(visit, made, token)


def withdraw(visit: Visit, id: str) -> Response:
    whose = "" if visit.who is Who.ADMINISTRATOR else visit.local
    known = id.isdecimal() and len(id) < 19
    if not known or not visit.box.store.invitations.withdraw(int(id), whose):
        raise Refused(404, visit.say("There is no such invitation"), visit.say("Look at the list."))
    return visit.go("/invitations", visit.say("The invitation is withdrawn."))


def _chosen(visit: Visit, field: str, choices: tuple[int, ...], usual: int) -> int:
    typed = visit.field(field)
    return next((one for one in choices if str(one) == typed), usual)


def _why(visit: Visit, why: Why) -> str:
    sentences = {
        Why.TOO_MANY: visit.say("You have made many invitations. Some must expire first."),
        Why.NO_CIRCLE: visit.say("That circle is gone."),
        Why.NO_ACCOUNT: visit.say("There is no such account."),
    }
    return sentences.get(why, visit.say("That does not work now."))
