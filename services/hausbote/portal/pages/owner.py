"""For administrators: people, storage, and the box itself, in sentences."""

import time
from typing import Final
from urllib.parse import quote

from werkzeug.wrappers import Response

from hausbote import __version__
from hausbote.base.acme_record import read_record
from hausbote.base.backup_record import read_record as read_backups
from hausbote.base.services import ours
from hausbote.core.bus import query_status
from hausbote.net.in_use import in_use
from hausbote.portal.names_check import is_at_home
from hausbote.portal.needs import needs
from hausbote.portal.pages import invitations
from hausbote.portal.visit import Refused, Visit
from hausbote.storage import Account

_MOST: Final = 8  # accounts in the list of who needs room
_MOST_TROUBLED: Final = 20  # servers in the list of those that are not reached


def people(visit: Visit) -> Response:
    return visit.page("people.html", people=visit.box.store.accounts.all())


def person(visit: Visit, local: str) -> Response:
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


def change_person(visit: Visit, local: str) -> Response:
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


def storage(visit: Visit) -> Response:
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


def box(visit: Visit) -> Response:
    settings, store = visit.box.settings, visit.box.store
    names = ours(settings)
    answered = visit.box.compute(
        lambda: [(name, query_status(settings.bus_dir, name) or {}) for name in names]
    )
    waiting: dict[str, int] = {}
    for one in store.outgoing.waiting():
        waiting[one.remote] = waiting.get(one.remote, 0) + one.messages
    record = read_backups(settings.backup_dir)
    peers = store.peers.all()
    return visit.page(
        "box.html",
        needs=needs(visit),
        version=__version__,
        parts=[(_part(visit, name), name, answer) for name, answer in answered],
        shown=in_use(settings),
        at_home=is_at_home(settings),
        acme=settings.certificates.acme == "yes",
        acme_record=read_record(settings.acme_record),
        federates=bool(settings.beyond),
        servers=len(peers),
        troubled=[one for one in peers if one.cause][:_MOST_TROUBLED],
        waiting=sorted(waiting.items()),
        backups=bool(settings.backup.repository),
        record=record,
        wall=time.time(),
    )


def _part(visit: Visit, service: str) -> str:
    """What a service is for, in a word."""
    parts = {
        "c2s": visit.say("Apps and messages"),
        "rooms": visit.say("Group chat"),
        "upload": visit.say("Files"),
        "turn": visit.say("Calls"),
        "portal": visit.say("These pages"),
        "s2s": visit.say("Other servers"),
        "certs": visit.say("Certificate"),
    }
    return parts.get(service, service)
