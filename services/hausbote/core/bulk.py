"""Long answers: pages of archives, lists, pictures.  They are made and sent beside everything.

Whoever asks has one of theirs made at a time, and those who ask take turns; what they send waits
for room of its own on the bus.  So nobody's messages wait for them, and nobody's questions for
those of one who has many.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from hausbote.base.domains import registrable_domain
from hausbote.base.jid import JID
from hausbote.core.bus.cause import current
from hausbote.core.host import Host
from hausbote.core.pump import Pump
from hausbote.xmpp.errors import ResourceConstraint

LONG: Final = 32_768  # bytes from which on an answer is one of these
_AT_ONCE: Final = 4  # that are made for one service, most of them waiting for room
_WAITING: Final = 16  # questions of one account
_CROWD: Final = 10  # times as many wait of all people of another server
_QUESTIONS: Final = 65_536  # bytes of them that may wait of one account
_ANSWERS: Final = 1_048_576  # bytes of answers made already that may wait for one account
_ALL: Final = 8_388_608  # bytes of all that waits; who has something there brings no more then


class _Asker:
    """Whose questions wait: of the first, somebody may be at work."""

    __slots__ = ("busy", "jobs", "size")

    def __init__(self) -> None:
        self.busy = False
        self.jobs: deque[tuple[Callable[[], None], int]] = deque()
        self.size = 0


class Bulk:
    """The long answers that go to one service."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._askers: dict[str, _Asker] = {}
        self._ready: deque[str] = deque()
        self._size = 0
        self._running = 0

    def run(
        self, asker: str, job: Callable[[], None], size: int, most: int, *, crowd: int = 1
    ) -> None:
        """Run a job in its turn, as a part of what is handled now; `size` is what it keeps in
        memory until then, in bytes.

        ResourceConstraint if the asker, who counts for a `crowd` of people, has so many of them
        already, or more than `most` bytes with this one.
        """
        found = self._askers.get(asker)
        if found is not None:
            many = len(found.jobs) >= _WAITING * crowd or found.size + size > most * crowd
            if many or self._size + size > _ALL:
                raise ResourceConstraint("wait for the answers to what you asked before")
        else:
            found = self._askers[asker] = _Asker()
        cause = current.get()
        found.jobs.append((job if cause is None else cause.extended(job), size))
        found.size += size
        self._size += size
        if not found.busy and len(found.jobs) == 1:
            self._ready.append(asker)
            self._start()

    def _start(self) -> None:
        while self._ready and self._running < _AT_ONCE:
            self._running += 1
            name = self._ready.popleft()
            self._askers[name].busy = True
            self._pump.run(lambda name=name: self._serve(name))  # type: ignore[misc]

    def _serve(self, name: str) -> None:
        """In a worker: one job."""
        asker = self._askers[name]
        job, size = asker.jobs.popleft()
        try:
            job()
        finally:
            asker.busy = False
            asker.size -= size
            self._size -= size
            self._running -= 1
            if asker.jobs:
                self._ready.append(name)
            else:
                del self._askers[name]
            self._start()


class _Ways:
    __slots__ = ("by_service",)

    def __init__(self) -> None:
        self.by_service: dict[str, Bulk] = {}


def way_to(host: Host, jid: JID) -> str | None:
    """The service of the bus by which that address is reached; None if it is none."""
    service = host.services.get(jid.domain)
    if service is not None:
        return service
    inside = jid.domain == host.domain or jid.domain in host.neighbours
    if inside or jid.domain in host.outlets or jid.domain in host.elsewhere:
        return None
    return host.beyond or None


def make_for(host: Host, service: str, asker: JID, question: int, job: Callable[[], None]) -> None:
    """Make and send a long answer to somebody by that service; see `Bulk.run`."""
    _run(host, service, asker, job, question, _QUESTIONS)


def send_to(host: Host, service: str, asker: JID, answer: int, job: Callable[[], None]) -> None:
    """Send a long answer that is made already."""
    _run(host, service, asker, job, answer, _ANSWERS)


def _run(
    host: Host, service: str, asker: JID, job: Callable[[], None], size: int, most: int
) -> None:
    """Another server has as many names as it likes, so all of its people take turns as one."""
    ways = host.state(_Ways).by_service
    bulk = ways.get(service)
    if bulk is None:
        bulk = ways[service] = Bulk(host.pump)
    if asker.domain == host.settings.domain:
        bulk.run(asker.bare, job, size, most)
    else:
        bulk.run(registrable_domain(asker.domain), job, size, most, crowd=_CROWD)
