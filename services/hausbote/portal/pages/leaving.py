"""The end of one's account: after some days in which it can be taken back, or at once."""

from typing import Final

from werkzeug.wrappers import Response

from hausbote.portal.pages.password import proves
from hausbote.portal.visit import SESSION, Visit

_DAY: Final = 86_400  # seconds


def show(visit: Visit) -> Response:
    return _page(visit, last=_is_last_administrator(visit))


def _page(visit: Visit, status: int = 200, *, wrong: str = "", last: bool = False) -> Response:
    days = visit.box.settings.retention.leaving_days
    return visit.page("delete.html", status, wrong=wrong, last=last, days=days)


def delete(visit: Visit) -> Response:
    if _is_last_administrator(visit):
        return show(visit)
    if not proves(visit, visit.form.get("password", "")):
        wrong = visit.say("This is not your password.")
        return _page(visit, 400, wrong=wrong)
    with visit.box.changing_administrators:
        if _is_last_administrator(visit):
            return show(visit)
        note = _left(visit)
    visit.session = None
    visit.cookie(SESSION, "", 0)
    return visit.go("/login", note)


def _left(visit: Visit) -> str:
    """What becomes of the account, as a sentence."""
    local, days = visit.local, visit.box.settings.retention.leaving_days
    if not days:
        visit.box.store.accounts.delete(local, f"{local}@{visit.box.settings.domain}")
        visit.box.tell(local, "deleted")
        return visit.say("Your account is deleted. Goodbye, and thank you.")
    visit.box.store.accounts.leave(local, int(visit.box.clock()) + days * _DAY)
    visit.box.tell(local, "locked")
    return visit.language.count(
        "Your account goes in one day. If you change your mind, log in here before that.",
        "Your account goes in %(num)s days. If you change your mind, log in here before that.",
        days,
    )


def _is_last_administrator(visit: Visit) -> bool:
    return visit.box.store.accounts.admins() == [visit.local]
