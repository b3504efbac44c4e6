"""The first page of who is logged in, and what everybody may see."""

from werkzeug.wrappers import Response

from hausbote.portal.access import Who
from hausbote.portal.language import NAMES
from hausbote.portal.needs import needs
from hausbote.portal.pages.login import own_path
from hausbote.portal.visit import Visit


def home(visit: Visit) -> Response:
    if visit.who is Who.ADMINISTRATOR:
        return _of_owner(visit)
    return visit.go("/me")


def _of_owner(visit: Visit) -> Response:
    store = visit.box.store
    accounts = store.accounts.all()
    return visit.page(
        "home.html",
        needs=needs(visit),
        people=accounts[:5],
        count=len(accounts),
    )


def choose_language(visit: Visit, tag: str) -> Response:
    if tag in NAMES:
        visit.choose_language(tag)
    return visit.go(own_path(visit.request.args.get("back", "/")))


def privacy(visit: Visit) -> Response:
    """Made from the settings, as what clients are told (XEP-0504)."""
    settings = visit.box.settings
    own, declared = settings.backup, settings.policy
    longest = max(own.keep_daily, own.keep_weekly * 7, own.keep_monthly * 31)
    days = declared.backup_days if declared.backup_hours else longest
    return visit.page("privacy.html", backup_days=days)
