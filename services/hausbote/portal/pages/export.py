"""All that the box has of an account, as a file that other servers read (XEP-0227)."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import gevent
from werkzeug.wrappers import Response

from hausbote.moving.exporting import export
from hausbote.portal.lease import Lease
from hausbote.portal.pages.password import proves
from hausbote.portal.visit import Refused, Visit

_PIECE: Final = 65_536  # characters that are sent together
_LONGEST: Final = 600.0  # seconds, after which another one may begin and end this


def show(visit: Visit) -> Response:
    return visit.page("export.html", wrong="")


def download(visit: Visit) -> Response:
    """With the password: the file has what proves it, and all messages.  One at a time."""
    if not proves(visit, visit.form.get("password", "")):
        return visit.page("export.html", 400, wrong=visit.say("This is not your password."))
    account = visit.box.store.accounts.get(visit.local)
    if account is None:  # it was deleted while the password was looked at
        return visit.go("/login")
    lease = visit.box.export.begin(_LONGEST)
    if lease is None:
        raise Refused(
            503,
            visit.say("One moment"),
            visit.say("Somebody fetches theirs just now. Try once more in some minutes."),
        )
    pieces = export(visit.box.settings, visit.box.store, [account])
    name = quote(f"{visit.local}@{visit.box.settings.domain}.xml", safe="@.")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    response = Response(_sent(pieces, lease), mimetype="application/xml", headers=headers)
    response.call_on_close(lease.end)  # also if nobody ever takes a piece
    return visit.answer(response)


def _sent(pieces: Iterator[str], lease: Lease) -> Iterator[bytes]:
    """Others are served between two of them; OSError, so that nobody takes half a file for a
    whole one, if this took too long and somebody else has begun."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield "".join(held).encode()
            held.clear()
            size = 0
            gevent.sleep(0)
            lease.check()
    yield "".join(held).encode()
