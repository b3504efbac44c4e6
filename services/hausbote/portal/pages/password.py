"""Another password, and proving the one there is."""

from functools import partial

from werkzeug.wrappers import Response

from hausbote.base.portal_logins import Verdict
from hausbote.portal import people, sessions
from hausbote.portal.pages.login import let_in
from hausbote.portal.passwords import tried
from hausbote.portal.people import Wrong
from hausbote.portal.visit import Visit


def show(visit: Visit) -> Response:
    return visit.page("password.html", wrong={})


def change(visit: Visit) -> Response:
    """All other devices are logged out with the old one."""
    assert visit.session is not None
    wrong: dict[str, str] = {}
    new = ""
    try:
        new = people.new_password(visit, "new")
    except Wrong as problem:
        wrong["new"] = str(problem)
    if not wrong and not proves(visit, visit.form.get("old", "")):
        wrong["old"] = visit.say("This is not your password.")
    if wrong:
        return visit.page("password.html", 400, wrong=wrong)
    visit.box.store.accounts.set_keys(visit.local, people.keys(visit, new))
    visit.box.tell(visit.local, "password")
    note = visit.say("Your password is changed. Other devices have to log in.")
    return let_in(visit, partial(sessions.renew, visit.box, visit.session), "/me", note)


def proves(visit: Visit, password: str) -> bool:
    """Counts like a login: a browser that was left open is no place for guessing."""
    assert visit.session is not None
    return tried(visit, visit.local, password, visit.session.agent) is Verdict.IN
