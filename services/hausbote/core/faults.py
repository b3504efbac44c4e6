"""What Python and gevent would print of a fault, as the log's `bug` instead.

A traceback names files and lines, and an exception's message may be an address, a password or
what somebody wrote.  `base.log.bug` tells type and place only.  Handlers catch what they expect;
this is for everything that nobody has caught.
"""

import sys
import threading
import warnings
from types import TracebackType
from typing import Any

from gevent import get_hub

from hausbote.base.log import bug, bug_at


def report_faults() -> None:
    """From here on nothing in this process prints a traceback; to be called before any thread."""
    hub: Any = get_hub()
    hub.print_exception = _of_greenlet  # greenlets, callbacks of the loop, the thread pool
    sys.excepthook = _of_program
    sys.unraisablehook = _of_finalizer
    threading.excepthook = _of_thread
    warnings.showwarning = _of_warning  # type: ignore[assignment]  # other names


def silence_libraries() -> None:
    """Libraries that log through `logging` are not heard: what they say could hold anything."""
    import logging  # loaded by most services anyway, but not by the smallest

    logging.getLogger().addHandler(logging.NullHandler())
    logging.raiseExceptions = False  # which prints what a handler failed with


def _of_greenlet(
    _context: object, _kind: type[BaseException], error: BaseException | None, _frames: object
) -> None:
    if error is not None:
        bug(error)


def _of_program(
    kind: type[BaseException], error: BaseException, _frames: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        bug(error)


def _of_finalizer(found: "sys.UnraisableHookArgs") -> None:
    if found.exc_value is not None:
        bug(found.exc_value)


def _of_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        bug(found.exc_value)


def _of_warning(
    _message: Warning | str, category: type[Warning], filename: str, line: int, *_: object
) -> None:
    bug_at(category.__name__, filename, line)
