"""The claim of a box: the code, the language, the domain, the first administrator.

Nothing of it is kept besides what it decides: each step shows how the box is, can be done again,
and is found again after a restart.  What comes after the administrator is in `setup.py`.
"""

import hmac
from contextlib import suppress
from functools import partial
from typing import Final

import gevent
from werkzeug.wrappers import Response

from hausbote.base.claim import PATH, end_claim, read_code, tidy_code
from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.log import Event, Word, log
from hausbote.base.networks import network_of
from hausbote.base.settings_checks import is_ip_address
from hausbote.base.wishes import Wishes, read_wishes
from hausbote.core.throttle import Throttle
from hausbote.portal import people, sessions
from hausbote.portal.language import NAMES
from hausbote.portal.pages.login import let_in
from hausbote.portal.people import Wrong
from hausbote.portal.visit import CLAIM, Refused, Visit, claim_cookie
from hausbote.storage import AccountExists

STEPS: Final = 5
_WINDOW: Final = 300.0  # seconds
_SLOW: Final = 1.0  # seconds that a wrong code costs
_of_network: Final = Throttle(10, _WINDOW)  # wrong codes
_of_all: Final = Throttle(100, _WINDOW)


def show_code(visit: Visit) -> Response:
    if visit.has_code:
        return visit.go(f"{PATH}/language")
    return visit.page("claim_code.html", wrong="")


def take_code(visit: Visit) -> Response:
    return _try(visit, visit.field("code"))


def take_code_of_link(visit: Visit, code: str) -> Response:
    return _try(visit, code)


def _try(visit: Visit, typed: str) -> Response:
    """Wrong codes are counted and slowed; nobody learns more by many of them."""
    network = network_of(visit.address)
    if _of_network.exceeded(network) or _of_all.exceeded(""):
        log(Event.CLAIM_FAILED, why=Word("too-often"))
        raise Refused(
            429,
            visit.say("Too many wrong codes"),
            visit.say("Wait five minutes. The right code is on the screen of the box."),
        )
    code = read_code(visit.box.settings.state)
    if not code or not hmac.compare_digest(tidy_code(typed).encode(), code.encode()):
        _of_network.note(network)
        _of_all.note("")
        log(Event.CLAIM_FAILED, why=Word("wrong-code"))
        gevent.sleep(_SLOW)
        wrong = visit.say("This is not the code. It has 16 letters and digits.")
        return visit.page("claim_code.html", 403, wrong=wrong)
    visit.cookie(CLAIM, claim_cookie(code))
    return visit.go(f"{PATH}/language")


def show_language(visit: Visit) -> Response:
    if not visit.has_code:
        return visit.go(PATH)
    return visit.page("claim_language.html", steps=STEPS, step=1)


def take_language(visit: Visit) -> Response:
    if not visit.has_code:
        return visit.go(PATH)
    tag = visit.field("language")
    if tag in NAMES:
        visit.choose_language(tag)
    return visit.go(f"{PATH}/domain")


def show_domain(visit: Visit) -> Response:
    if not visit.has_code:
        return visit.go(PATH)
    return _domain_page(visit)


def _domain_page(visit: Visit, typed: str | None = None, wrong: str = "") -> Response:
    settings = visit.box.settings
    value = settings.domain if typed is None else typed
    return visit.page(
        "claim_domain.html",
        400 if wrong else 200,
        steps=STEPS,
        step=2,
        fixed=_domain_is_fixed(visit),
        split=settings.is_split,
        value="" if value == "localhost" and typed is None else value,
        wrong=wrong,
    )


def _domain_is_fixed(visit: Visit) -> bool:
    return visit.box.settings.is_split or visit.box.store.accounts.count() > 0


def take_domain(visit: Visit) -> Response:
    """What differs from the settings is a wish, for which the services start anew."""
    if not visit.has_code:
        return visit.go(PATH)
    settings, typed = visit.box.settings, visit.field("domain")
    after = f"{PATH}/administrator"
    if settings.is_split:
        return visit.go(after)
    domain = settings.domain
    if visit.field("choice") != "stay" and not _domain_is_fixed(visit):
        try:
            domain = _domain(visit, typed)
        except Wrong as wrong:
            return _domain_page(visit, typed, str(wrong))
    tag = visit.language.tag
    wishes = Wishes(
        domain=domain if domain != settings.domain else "",
        language=tag if tag != settings.language.partition("-")[0] else "",
        registration="invite" if settings.registration == "closed" else "",
    )
    if not wishes:
        return visit.go(after)
    visit.box.wish(wishes)
    return visit.page("claim_wait.html", steps=STEPS, step=2, domain=domain, after=after)


def _domain(visit: Visit, typed: str) -> str:
    if not typed:
        raise Wrong(visit.say("Which domain? Or choose to stay at home."))
    try:
        domain = prepare_domain(typed.removeprefix("https://").rstrip("/"))
    except InvalidJID:
        domain = ""
    if "." not in domain or is_ip_address(domain):
        raise Wrong(visit.say("A domain looks like chat.example.org."))
    return domain


def show_administrator(visit: Visit) -> Response:
    if not visit.has_code:
        return visit.go(PATH)
    if read_wishes(visit.box.settings.state) is not None:  # the services have not begun anew yet
        domain, after = visit.box.settings.domain, f"{PATH}/administrator"
        return visit.page("claim_wait.html", steps=STEPS, step=2, domain=domain, after=after)
    return _administrator_page(visit, {})


def _administrator_page(visit: Visit, wrong: dict[str, str]) -> Response:
    typed = visit.field("name") if wrong else ""
    return visit.page(
        "claim_administrator.html",
        400 if wrong else 200,
        steps=STEPS,
        step=3,
        wrong=wrong,
        value=typed,
    )


def take_administrator(visit: Visit) -> Response:
    """Make the first administrator, and be logged in as that; the code is good for nothing then."""
    if not visit.has_code:
        return visit.go(PATH)
    local, password, wrong = people.name_and_password(visit)
    if wrong:
        return _administrator_page(visit, wrong)
    keys = people.keys(visit, password)
    with visit.box.changing_administrators:
        if visit.box.is_claimed:
            raise Refused(
                409,
                visit.say("Somebody was quicker"),
                visit.say("This box has an administrator since a moment ago."),
            )
        try:
            visit.box.store.accounts.create(local, keys, admin=True)
        except AccountExists:
            return _administrator_page(visit, {"name": visit.say("This name is taken.")})
        with suppress(OSError):  # the code is good for nothing, whether its file goes or not
            end_claim(visit.box.settings.state)
    log(Event.CLAIMED)
    begin = partial(sessions.begin, visit.box, local, *people.browser(visit))
    return let_in(visit, begin, "/setup/names")
