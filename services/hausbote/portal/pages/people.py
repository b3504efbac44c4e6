"""For administrators: who has an account, and what they may."""

from urllib.parse import quote

from werkzeug.wrappers import Response

from hausbote.portal.pages import invitations
from hausbote.portal.visit import Refused, Visit
from hausbote.storage import Account


def show_all(visit: Visit) -> Response:
    return visit.page("people.html", people=visit.box.store.accounts.all())


def show(visit: Visit, local: str) -> Response:
    account = _known(visit, local)
    store, settings = visit.box.store, visit.box.settings
    usage = store.usage.accounts(settings.domain, local)
    clients = store.clients.all(local)
    return visit.page(
        "person.html",
        person=account,
        usage=usage[0] if usage else None,
        devices=len(clients),
        seen=max((one.last_seen for one in clients), default=0),
        last=store.accounts.admins() == [local],
        mine=local == visit.local,
    )


def _known(visit: Visit, local: str) -> Account:
    account = visit.box.store.accounts.get(local)
    if account is None:
        title = visit.say("There is nobody of that name")
        raise Refused(404, title, visit.say("Look at the list of people."))
    return account


def change(visit: Visit, local: str) -> Response:
    """Lock, unlock, make an administrator or a member again; the last administrator stays."""
    _known(visit, local)
    with visit.box.changing_administrators:
        note = _changed(visit, local)
    if visit.local == local and visit.field("do") in ("lock", "member"):
        return visit.go("/", note)
    return visit.go(f"/people/{quote(local, safe='')}", note)


def _changed(visit: Visit, local: str) -> str:
    """What was done, as a sentence."""
    accounts = visit.box.store.accounts
    if accounts.admins() == [local]:
        raise Refused(
            409,
            visit.say("Somebody has to look after the box"),
            visit.say("Make somebody else an administrator first."),
        )
    match visit.field("do"):
        case "lock":
            accounts.set_locked(local, True)
            visit.box.tell(local, "locked")
            note = visit.say("%(name)s is locked and logged out everywhere.", name=local)
        case "unlock":
            accounts.set_locked(local, False)
            note = visit.say("%(name)s can log in again.", name=local)
        case "administrator":
            accounts.set_admin(local, True)
            note = visit.say("%(name)s may look after the box now.", name=local)
        case "member":
            accounts.set_admin(local, False)
            note = visit.say("%(name)s is a member like others now.", name=local)
        case _:
            title = visit.say("That was not understood")
            raise Refused(400, title, visit.say("Go back and try again."))
    return note


def reset(visit: Visit, local: str) -> Response:
    _known(visit, local)
    return invitations.make_reset(visit, local)
