"""What is kept of somebody's messages, and for how long; and deleting it."""

from typing import Final

from werkzeug.wrappers import Response

from hausbote.base.portal_actions import AccountAction
from hausbote.portal.pages.password import proves
from hausbote.portal.refusals import refuse_trouble
from hausbote.portal.visit import Refused, Visit

_DAY: Final = 86_400  # seconds
_KINDS: Final = ("always", "roster", "never")
_DAYS: Final = (1, 7, 30, 90, 365)  # to choose from
_OLDER: Final = {"all": None, "week": 7, "month": 30, "year": 365}  # days
_EVER: Final = 2**40  # seconds since 1970: whatever a clock said when something came


def show(visit: Visit) -> Response:
    return _page(visit)


def _page(visit: Visit, status: int = 200, wrong: str = "") -> Response:
    archiving, settings = visit.box.store.archiving, visit.box.settings
    return visit.page(
        "history.html",
        status,
        kept=settings.archive.enabled == "yes",
        kind=archiving.preferences(visit.local).fallback,
        days=archiving.days(visit.local),
        choices=_choices(visit),
        longest=settings.retention.archive_days,
        count=visit.box.store.archives.total(visit.local),
        wrong=wrong,
    )


def _choices(visit: Visit) -> list[int]:
    """The owner of the box decides on the most."""
    longest = visit.box.settings.retention.archive_days
    return [days for days in _DAYS if not longest or days < longest]


def choose(visit: Visit) -> Response:
    kind, text = visit.form.get("kind", ""), visit.form.get("days", "")
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
    if kind not in _KINDS or days not in (0, *_choices(visit)):
        title = visit.say("That was not understood")
        raise Refused(400, title, visit.say("Go back and try again."))
    if kind != visit.box.store.archiving.preferences(visit.local).fallback:
        refuse_trouble(visit, visit.box.asking.act(visit.local, AccountAction.ARCHIVE, kind))
    if days != visit.box.store.archiving.days(visit.local):
        visit.box.store.archiving.set_days(visit.local, days)
    return visit.go("/me/history", visit.say("That is how it is kept from now on."))


def delete(visit: Visit) -> Response:
    """Nobody brings it back, so it takes the password."""
    which = visit.form.get("older", "")
    if which not in _OLDER:
        title = visit.say("That was not understood")
        raise Refused(400, title, visit.say("Go back and try again."))
    if not proves(visit, visit.form.get("password", "")):
        return _page(visit, 400, visit.say("This is not your password."))
    days = _OLDER[which]
    before = _EVER if days is None else visit.box.clock() - days * _DAY
    gone = visit.box.store.usage.purge_archives(before, visit.local)
    note = visit.language.count("One message is deleted.", "%(num)s messages are deleted.", gone)
    return visit.go("/me/history", note)
