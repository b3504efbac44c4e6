"""Files that somebody has shared."""

from typing import Final

from werkzeug.wrappers import Response

from hausbote.core.bus import notify
from hausbote.portal.visit import Refused, Visit

_MOST_FILES: Final = 100  # on the page; the newest


def show(visit: Visit) -> Response:
    files = visit.box.store.uploads.of(visit.local)
    return visit.page(
        "files.html",
        files=files[::-1][:_MOST_FILES],
        count=len(files),
        total=sum(one.size for one in files),
        limit=visit.box.settings.upload.account_bytes,
    )


def delete(visit: Visit, id: str) -> Response:
    if not visit.box.store.uploads.delete(visit.local, id):
        raise Refused(404, visit.say("There is no such file"), visit.say("Look at the list."))
    visit.box.compute(notify, visit.box.settings.bus_dir, "upload", {"change": "deleted"})
    return visit.go("/me/files", visit.say("The file is deleted. Links to it lead nowhere now."))
