"""The rest of the claim, to which administrators can come back: names in DNS, certificate."""

import time
from typing import Final

from werkzeug.wrappers import Response

from hausbote.base.acme_record import read_record
from hausbote.base.wishes import Wishes
from hausbote.net.in_use import in_use
from hausbote.portal.names_check import Names, is_at_home, lines, look
from hausbote.portal.pages.claim import STEPS
from hausbote.portal.visit import Visit

_AFTER: Final = "/setup/certificate"


def names(visit: Visit) -> Response:
    """May wait some seconds for DNS."""
    settings = visit.box.settings
    at_home = is_at_home(settings)
    found = Names([], [])
    if not at_home:
        found = look(settings, visit.language, visit.box.compute(lines, settings))
    return visit.page(
        "setup_names.html",
        steps=STEPS,
        step=4,
        at_home=at_home,
        findings=found.findings,
        lines=found.lines,
    )


def certificate(visit: Visit) -> Response:
    settings = visit.box.settings
    shown, record = in_use(settings), read_record(settings.acme_record)
    return visit.page(
        "setup_certificate.html",
        steps=STEPS,
        step=5,
        at_home=is_at_home(settings),
        asks=settings.certificates.acme == "yes",
        split=settings.is_split,
        shown=shown,
        ended=shown is not None and shown.ends <= time.time(),
        record=record,
    )


def ask_for_certificate(visit: Visit) -> Response:
    """The authority's terms are agreed to by this button, which says so."""
    settings = visit.box.settings
    if settings.is_split or is_at_home(settings) or settings.certificates.acme == "yes":
        return visit.go(_AFTER)
    visit.box.wish(Wishes(acme="yes"))
    return visit.page("claim_wait.html", steps=STEPS, step=5, domain=settings.domain, after=_AFTER)


def done(visit: Visit) -> Response:
    return visit.page("setup_done.html")
