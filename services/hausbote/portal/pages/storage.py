"""For administrators: how much room there is, and who needs most of it."""

from typing import Final

from werkzeug.wrappers import Response

from hausbote.portal.visit import Visit

_MOST: Final = 8  # accounts in the list of who needs room


def show(visit: Visit) -> Response:
    store, settings = visit.box.store, visit.box.settings
    accounts = sorted(store.usage.accounts(settings.domain), key=lambda one: -one.total)
    free, used = store.reserve.free, sum(one.total for one in accounts)
    return visit.page(
        "storage.html",
        free=free,
        used=used,
        low=store.reserve.is_low,
        accounts=[one for one in accounts if one.total][:_MOST],
        most=max((one.total for one in accounts), default=0),
        archive_days=settings.retention.archive_days,
        files_days=settings.retention.uploads_days,
    )
