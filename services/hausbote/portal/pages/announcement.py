"""For administrators: to tell everybody on the box something."""

from typing import Final

from werkzeug.wrappers import Response

from hausbote.base.portal_notices import NoticeAction
from hausbote.portal.visit import Refused, Visit
from hausbote.storage import MOTD

_MOST: Final = 2_000  # characters


def show(visit: Visit) -> Response:
    return _page(visit)


def _page(visit: Visit, wrong: str = "", typed: str = "") -> Response:
    current = visit.box.store.notices.get(MOTD) or ""
    return visit.page(
        "announcement.html",
        400 if wrong else 200,
        current=current,
        wrong=wrong,
        typed=typed,
        now_only=visit.field("to") == NoticeAction.NOW if wrong else False,
    )


def tell(visit: Visit) -> Response:
    if visit.field("do") == NoticeAction.TAKE_BACK:
        _ask(visit, NoticeAction.TAKE_BACK)
        return visit.go("/box/announcement", visit.say("Nobody else is told."))
    text = _typed(visit)
    if not text:
        return _page(visit, visit.say("Write what you want to say."))
    if len(text) > _MOST:
        return _page(visit, visit.say("That is too long."), text)
    if visit.field("to") == NoticeAction.NOW:
        _ask(visit, NoticeAction.NOW, text)
        return visit.go("/box/announcement", visit.say("Everybody who is here was told."))
    _ask(visit, NoticeAction.ALL, text)
    note = visit.say("Everybody who is here was told; the others are when they come.")
    return visit.go("/box/announcement", note)


def _ask(visit: Visit, act: NoticeAction, text: str = "") -> None:
    if not visit.box.asking.announce(act, text).done:
        raise Refused(
            503,
            visit.say("This cannot be kept now"),
            visit.say(
                "The disk of the box is full or broken. Nothing was changed; its owner was told."
            ),
        )


def _typed(visit: Visit) -> str:
    """With its lines, and without what cannot be seen."""
    lines = visit.form.get("text", "").splitlines()
    return "\n".join("".join(one for one in line if one.isprintable()) for line in lines).strip()
