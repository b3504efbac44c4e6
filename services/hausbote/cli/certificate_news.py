"""What an owner should know of the box's certificate, for the screen."""

import contextlib
import time
from collections.abc import Iterator

import click

from hausbote.base.certificate_words import acme_sentences
from hausbote.base.settings import Settings
from hausbote.net.files import stamps
from hausbote.net.in_use import in_use


def certificate_sentences(settings: Settings) -> Iterator[str]:
    """What `hausbote status` and the screen of `hausbote run` tell; nothing if all is well."""
    shown, now = in_use(settings), time.time()
    if shown is None:
        yield f"{settings.path(settings.tls.certificate)} cannot be read."
        return
    if shown.ends_soon(now):
        yield shown.told(now)
    yield from acme_sentences(settings, own=shown.own)


class CertificateNews:
    """`look` every few seconds: what is new is told once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files = [settings.acme_record, settings.path(settings.tls.certificate)]
        self._seen: object = None
        self._told: set[str] = set()

    def look(self) -> None:
        """Only files that were written since are read."""
        seen = stamps(self._files)
        if seen == self._seen:
            return
        self._seen = seen
        sentences = list(certificate_sentences(self._settings))
        with contextlib.suppress(OSError):  # nobody reads the screen any more
            for sentence in sentences:
                if sentence not in self._told:
                    click.echo(sentence)
            if self._told and not sentences:
                click.echo("The box shows a good certificate now.")
        self._told = set(sentences)
