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
    local, days = visit.local, visit.box.settings.retention.leaving_days
    if days:
        goes = int(visit.box.clock()) + days * _DAY
        visit.box.store.accounts.leave(local, goes)
        visit.box.tell(local, "locked")
        note = visit.language.count(
            "Your account goes in one day. If you change your mind, log in here before that.",
            "Your account goes in %(num)s days. If you change your mind, log in here before that.",
            days,
        )
    else:
        visit.box.store.accounts.delete(local, f"{local}@{visit.box.settings.domain}")
        visit.box.tell(local, "deleted")
        note = visit.say("Your account is deleted. Goodbye, and thank you.")
    visit.session = None
    visit.cookie(SESSION, "", 0)
    return visit.go("/login", note)


def _is_last_administrator(visit: Visit) -> bool:
    return visit.box.store.accounts.admins() == [visit.local]
