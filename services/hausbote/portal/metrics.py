"""Figures of the box for Prometheus, in its text format 0.0.4: those that `hausbote status` has.

They are at a Unix socket, for this user and root only: figures tell when people are there.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from hausbote import __version__
from hausbote.base.backup_record import read_record
from hausbote.net.in_use import in_use
from hausbote.portal.box import Box

SOCKET: Final = "metrics"
TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class _Figure(NamedTuple):
    """A metric that each service has; `key` is what its answer calls it."""

    name: str
    key: str
    type: str
    help: str


_OF_SERVICES: Final = (
    _Figure("uptime_seconds", "uptime", "gauge", "Seconds since a service was started."),
    _Figure("memory_bytes", "memory", "gauge", "Memory that a service takes."),
    _Figure("sessions", "sessions", "gauge", "Clients, or streams with other servers."),
    _Figure("handled_total", "handled", "counter", "Stanzas, or requests, that it has handled."),
    _Figure("disk_low", "disk_full", "gauge", "Whether a service refuses what needs room."),
    _Figure(
        "store_failed", "store_failed", "gauge", "When it could not write any more, 0 = it can."
    ),
    _Figure("out_of_files", "out_of_files", "gauge", "Whether its descriptors are used up."),
)


class Metrics:
    """A WSGI application; `ourselves` is what the portal says of itself."""

    def __init__(self, box: Box, ourselves: Callable[[], dict[str, Any]]) -> None:
        self._box = box
        self._ourselves = ourselves

    def __call__(self, _environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = ("\n".join(self._lines()) + "\n").encode()
        start("200 OK", [("Content-Type", TYPE), ("Content-Length", str(len(body)))])
        return [body]

    def _lines(self) -> Iterator[str]:
        answers = self._box.health.ask() | {"portal": self._ourselves()}
        up = {name: float(answer is not None) for name, answer in answers.items()}
        yield from _metric("up", "gauge", "Whether a service answers.", up)
        for figure in _OF_SERVICES:
            found = {
                name: float(answer[figure.key])
                for name, answer in answers.items()
                if answer is not None and answer.get(figure.key) is not None
            }
            yield from _metric(figure.name, figure.type, figure.help, found)
        yield from self._of_box()

    def _of_box(self) -> Iterator[str]:
        settings, store = self._box.settings, self._box.store
        record, shown = read_record(settings.backup_dir), in_use(settings)
        waiting = sum(one.messages for one in store.outgoing.waiting())
        figures = (
            ("accounts", "Accounts.", store.accounts.count()),
            ("disk_free_bytes", "Room on the disk.", store.reserve.free),
            ("waiting_messages", "Messages that wait for other servers.", waiting),
            (
                "certificate_ends_timestamp_seconds",
                "When the certificate ends.",
                shown and shown.ends,
            ),
            ("backup_made_timestamp_seconds", "When the last good backup began.", record.made_at),
            ("backup_verified_timestamp_seconds", "When one was verified.", record.verified_at),
        )
        for name, told, value in figures:
            yield from _metric(name, "gauge", told, {"": float(value or 0)})
        yield from ("# HELP hausbote_info Which Hausbote this is.", "# TYPE hausbote_info gauge")
        yield f'hausbote_info{{version="{__version__}"}} 1'


def _metric(name: str, type: str, told: str, values: dict[str, float]) -> Iterator[str]:
    """With a value for each service; "" stands for the box."""
    yield f"# HELP hausbote_{name} {told}"
    yield f"# TYPE hausbote_{name} {type}"
    for service, value in values.items():
        label = f'{{service="{service}"}}' if service else ""
        yield f"hausbote_{name}{label} {value!r}"
