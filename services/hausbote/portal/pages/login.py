"""Logging in with the password of one's account, and logging out."""

import hmac
from urllib.parse import unquote

import gevent
from werkzeug.wrappers import Response

from hausbote.base.jid import InvalidJID
from hausbote.base.portal_logins import Verdict
from hausbote.portal import people, sessions
from hausbote.portal.people import Wrong
from hausbote.portal.visit import SESSION, Visit
from hausbote.xmpp.sasl import HASHES, ScramKeys, derive_keys, fake_keys


def show(visit: Visit) -> Response:
    return _page(visit, visit.request.args.get("to", "/"), 200)


def _page(visit: Visit, to: str, status: int, wrong: str = "", name: str = "") -> Response:
    return visit.page("login.html", status, to=_own_path(to), wrong=wrong, name=name)


def log_in(visit: Visit) -> Response:
    typed, to = visit.field("name"), visit.form.get("to", "/")
    password = visit.form.get("password", "")
    try:
        local = people.name(visit)
    except Wrong as wrong:
        return _page(visit, to, 400, str(wrong), typed)
    cookie = visit.request.cookies.get(SESSION, "")
    known, agent = sessions.known_browser(cookie)
    judgement = visit.box.asking.judge(
        local,
        visit.request.remote_addr or "127.0.0.1",
        agent if known == local else "",
        proven=is_password(visit, local, password),
    )
    gevent.sleep(judgement.wait)
    match judgement.verdict:
        case Verdict.IN:
            visit.log_in(sessions.begin(visit.box, local, *people.browser(visit)))
            return visit.go(_own_path(to))
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


def is_password(visit: Visit, local: str, password: str) -> bool:
    """Whether it is the account's; without such an account it takes as long."""
    store = visit.box.store
    kept = store.accounts.all_keys(local)
    hash = next((name for name in reversed(HASHES) if name in kept), next(reversed(HASHES)))
    keys: ScramKeys = kept.get(hash) or fake_keys(store.secret("fake-scram-keys"), local, hash)
    proven: bool = visit.box.compute(_fits, password, hash, keys)
    return proven


def _fits(password: str, hash: str, keys: ScramKeys) -> bool:
    try:
        made = derive_keys(password, hash, salt=keys.salt, iterations=keys.iterations)
    except InvalidJID:
        return False
    return hmac.compare_digest(made.stored_key, keys.stored_key)


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


def _own_path(path: str) -> str:
    """A page of ours, whatever was asked for: `//other.example` would be another host's."""
    safe = unquote(path)
    is_ours = safe.startswith("/") and not safe.startswith("//") and safe.isascii()
    return path if is_ours and safe.isprintable() and "\\" not in safe else "/"
