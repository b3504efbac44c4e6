"""Holding back who sends faster than the other service takes."""

import time
from collections.abc import Callable
from typing import Final

import gevent

_MUCH: Final = 2_097_152  # bytes, a quarter of what may wait
_PATIENCE: Final = 2.0  # seconds: a service that is away must not stop this one
_POLL: Final = 0.002


def ease(size: Callable[[], int]) -> None:
    """Let others work until `size` is no longer much, or for some seconds."""
    if size() < _MUCH:
        return
    deadline = time.monotonic() + _PATIENCE
    while size() >= _MUCH and time.monotonic() < deadline:
        gevent.sleep(_POLL)
