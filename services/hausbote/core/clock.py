"""Jobs that come again and again for as long as a service runs."""

from collections.abc import Callable

import gevent

from hausbote.base.log import bug


def every(seconds: float, job: Callable[[], object]) -> None:
    """Start doing a job again and again, in a greenlet of its own; the first time a minute from
    now at the latest.  A fault of it does not end that."""
    gevent.spawn(_repeat, seconds, job)


def _repeat(seconds: float, job: Callable[[], object]) -> None:
    gevent.sleep(min(seconds, 60.0))
    while True:
        try:
            job()
        except Exception as fault:  # noqa: BLE001 - the clock must go on
            bug(fault)
        gevent.sleep(seconds)
