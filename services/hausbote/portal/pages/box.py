"""For administrators: the box itself, in sentences."""

import time

from werkzeug.wrappers import Response

from hausbote import __version__
from hausbote.base.acme_record import read_record
from hausbote.base.backup_places import Places
from hausbote.base.backup_record import read_record as read_backups
from hausbote.base.owner_tasks import BACKUP, ask_for, restart_of
from hausbote.base.services import ours
from hausbote.core.bus import query_status
from hausbote.net.in_use import in_use
from hausbote.portal.names_check import is_at_home
from hausbote.portal.needs import needs
from hausbote.portal.visit import Refused, Visit


def show(visit: Visit) -> Response:
    settings, store = visit.box.settings, visit.box.store
    names = ours(settings)
    answered = visit.box.compute(
        lambda: [(name, query_status(settings.bus_dir, name) or {}) for name in names]
    )
    waiting = sum(one.messages for one in store.outgoing.waiting())
    record = read_backups(settings.backup_dir)
    peers = store.peers.all()
    return visit.page(
        "box.html",
        needs=needs(visit),
        version=__version__,
        parts=[(part(visit, name), name, answer) for name, answer in answered],
        shown=in_use(settings),
        at_home=is_at_home(settings),
        acme=settings.certificates.acme == "yes",
        acme_record=read_record(settings.acme_record),
        federates=bool(settings.beyond),
        servers=len(peers),
        troubled=sum(bool(one.cause) for one in peers),
        waiting=waiting,
        backups=bool(settings.backup.repository),
        can_back_up=can_back_up(visit),
        split=settings.is_split,
        record=record,
        wall=time.time(),
    )


def restart(visit: Visit, service: str) -> Response:
    """`hausbote run` does it, within some seconds."""
    settings = visit.box.settings
    if service not in ours(settings):
        raise Refused(404, visit.say("There is no such part"), visit.say("Look at the list."))
    _by_run(visit, restart_of(service))
    name = part(visit, service)
    note = visit.say("%(part)s: this is being started again, which takes some seconds.", part=name)
    return visit.go("/box#parts", note)


def back_up(visit: Visit) -> Response:
    """Likewise."""
    if not can_back_up(visit):
        title = visit.say("There is no place for backups yet")
        raise Refused(409, title, visit.say("“hausbote backup init” makes one."))
    _by_run(visit, BACKUP)
    note = visit.say("A backup is being made. It takes some minutes; look again then.")
    return visit.go("/box#backups", note)


def can_back_up(visit: Visit) -> bool:
    """Whether there is a place for backups, and somebody to make one now."""
    settings = visit.box.settings
    ready = bool(settings.backup.repository) and Places(settings.backup_dir).repository.exists()
    return ready and not settings.is_split


def _by_run(visit: Visit, task: str) -> None:
    settings = visit.box.settings
    if settings.is_split:
        title = visit.say("That has to be done on the machine")
        sentence = visit.say("Each part of this box is in a container of its own.")
        raise Refused(409, title, sentence)
    try:
        ask_for(settings.run_dir, task)
    except OSError:
        title = visit.say("This cannot be kept now")
        sentence = visit.say(
            "The disk of the box is full or broken. Nothing was changed; its owner was told."
        )
        raise Refused(503, title, sentence) from None


def part(visit: Visit, service: str) -> str:
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
