"""Devices that can get in to one's account, and logging them out."""

from werkzeug.wrappers import Response

from hausbote.portal.visit import SESSION, Refused, Visit
from hausbote.storage import Client


def devices_of(visit: Visit) -> list[Client]:
    """Clients that can still get in: they know the password, or have a token."""
    now = visit.box.clock()
    found = visit.box.store.clients.all(visit.local)
    return [one for one in found if one.password or one.tokens_until > now]


def show(visit: Visit) -> Response:
    assert visit.session is not None
    return visit.page("devices.html", devices=devices_of(visit), here=visit.session.agent)


def end(visit: Visit, ref: str) -> Response:
    gone = visit.box.store.clients.revoke(visit.local, ref)
    if gone is None:
        raise Refused(404, visit.say("There is no such device"), visit.say("Look at the list."))
    visit.box.tell(visit.local, "revoked", agent=gone.agent)
    if visit.session is not None and gone.agent == visit.session.agent:
        visit.cookie(SESSION, "", 0)
        return visit.go("/login", visit.say("You are logged out."))
    if gone.password:
        note = visit.say("It is logged out, but may know the password: change that, too.")
        return visit.go("/me/password", note)
    return visit.go("/me/devices", visit.say("It is logged out."))
