"""Work that takes long, done in gevent's threads."""

from collections.abc import Callable
from typing import Any

from gevent import get_hub


def compute(function: Callable[..., Any], *arguments: object) -> Any:
    """Call a function in a thread and return its result, or raise its exception.

    Only the calling greenlet waits.  The exception comes back as a value, because the pool prints
    a traceback of every exception that a thread ends with, although the caller gets it, too.
    """
    result, error = get_hub().threadpool.apply(_outcome, (function, arguments))
    if error is not None:
        raise error
    return result


def _outcome(
    function: Callable[..., Any], arguments: tuple[object, ...]
) -> tuple[Any, Exception | None]:
    try:
        return function(*arguments), None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
        return None, error
