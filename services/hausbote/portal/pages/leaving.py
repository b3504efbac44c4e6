"""The end of one's account."""

from werkzeug.wrappers import Response

from hausbote.portal.pages.password import proves
from hausbote.portal.visit import SESSION, Visit


def show(visit: Visit) -> Response:
    return visit.page("delete.html", wrong="", last=_is_last_administrator(visit))


def delete(visit: Visit) -> Response:
    if _is_last_administrator(visit):
        return show(visit)
    if not proves(visit, visit.form.get("password", "")):
        wrong = visit.say("This is not your password.")
        return visit.page("delete.html", 400, wrong=wrong, last=False)
    local, domain = visit.local, visit.box.settings.domain
    visit.box.store.accounts.delete(local, f"{local}@{domain}")
    visit.box.tell(local, "deleted")
    visit.session = None
    visit.cookie(SESSION, "", 0)
    return visit.go("/login", visit.say("Your account is deleted. Goodbye, and thank you."))


def _is_last_administrator(visit: Visit) -> bool:
    return visit.box.store.accounts.admins() == [visit.local]
