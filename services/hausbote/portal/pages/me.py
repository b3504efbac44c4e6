"""What belongs to whoever is logged in; each thing has a page of its own."""

from werkzeug.wrappers import Response

from hausbote.portal.pages.devices import devices_of
from hausbote.portal.visit import Visit


def show(visit: Visit) -> Response:
    store, longest = visit.box.store, visit.box.settings.retention.archive_days
    usage = store.usage.accounts(visit.box.settings.domain, visit.local)
    return visit.page(
        "me.html",
        usage=usage[0] if usage else None,
        limit=visit.box.settings.upload.account_bytes,
        devices=len(devices_of(visit)),
        archive_days=store.archiving.days(visit.local) or longest,
    )
