"""Logging in with the password of one's account, and logging out."""

from collections.abc import Callable
from urllib.parse import unquote

from werkzeug.wrappers import Response

from hausbote.base.portal_logins import Verdict
from hausbote.portal import people, sessions
from hausbote.portal.passwords import tried
from hausbote.portal.people import Wrong
from hausbote.portal.sessions import Session
from hausbote.portal.visit import SESSION, Visit
from hausbote.storage import StorageError


def show(visit: Visit) -> Response:
    return _page(visit, visit.request.args.get("to", "/"), 200)


def _page(visit: Visit, to: str, status: int, wrong: str = "", name: str = "") -> Response:
    return visit.page("login.html", status, to=own_path(to), wrong=wrong, name=name)


def log_in(visit: Visit) -> Response:
    typed, to = visit.field("name"), visit.form.get("to", "/")
    password = visit.form.get("password", "")
    try:
        local = people.name(visit)
    except Wrong as wrong:
        return _page(visit, to, 400, str(wrong), typed)
    cookie = visit.request.cookies.get(SESSION, "")
    known, agent = sessions.known_browser(cookie)
    match tried(visit, local, password, agent if known == local else ""):
        case Verdict.IN:
            visit.log_in(sessions.begin(visit.box, local, *people.browser(visit)))
            return visit.go(own_path(to))
        case Verdict.LOCKED if visit.box.store.accounts.stay(local):
            visit.log_in(sessions.begin(visit.box, local, *people.browser(visit)))
            return visit.go("/me", visit.say("Good that you are here: your account stays."))
        case Verdict.LOCKED:
            sentence = visit.say("The owner of this box has locked this account.")
            return _page(visit, to, 403, sentence, typed)
        case Verdict.TOO_OFTEN:
            sentence = visit.say("There were too many wrong passwords. Wait five minutes.")
            return _page(visit, to, 429, sentence, typed)
        case _:
            sentence = visit.say("Name and password do not belong together.")
            return _page(visit, to, 403, sentence, typed)


def let_in(visit: Visit, begin: Callable[[], Session], path: str, note: str = "") -> Response:
    """What somebody wanted is done; they are logged in, and go on at `path`.  If the disk does not
    keep that they are, they log in themselves: it was done all the same."""
    try:
        visit.log_in(begin())
    except StorageError:
        return visit.go("/login", note)
    return visit.go(path, note)


def log_out(visit: Visit) -> Response:
    """The browser's chats end, too, and what it has kept of them goes."""
    session = visit.session
    assert session is not None
    sessions.end(visit.box, session)
    visit.box.tell(session.local, "revoked", agent=session.agent)
    visit.cookie(SESSION, "", 0)
    answer = visit.go("/login", visit.say("You are logged out."))
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


def own_path(path: str) -> str:
    """A page of ours, whatever was asked for: `//other.example` would be another host's."""
    safe = unquote(path)
    is_ours = safe.startswith("/") and not safe.startswith("//") and safe.isascii()
    return path if is_ours and safe.isprintable() and "\\" not in safe else "/"
