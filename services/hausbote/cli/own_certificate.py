"""The certificate of the box's own authority is kept good: at each start, and while it runs."""

import contextlib
import time
from typing import Final

import click

from hausbote.base.settings import Settings
from hausbote.certs.own import renew_own

_OFTEN: Final = 12 * 3_600.0  # seconds between two looks


def keep_own_certificate(settings: Settings) -> None:
    """Renew it if it is time, and say so; also what is in the way, which stops nothing."""
    try:
        if renew_own(settings):
            _say("The box has renewed the certificate of its own authority.")
    except (OSError, ValueError) as error:
        _say(f"The certificate of the box's own authority could not be renewed: {error}.")


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads the screen any more
        click.echo(sentence)


class OwnCertificate:
    """`look` as often as you like: twice a day something is done."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._next = time.monotonic() + _OFTEN

    def look(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _OFTEN
            keep_own_certificate(self._settings)
