"""Strict-Transport-Security (RFC 6797): a browser that has seen the domain comes back with TLS
only, and lets nobody past a certificate that it does not trust.

So it is said only where that stays good by itself: of a domain whose certificate the box renews at
an authority, and while it shows one.  A box at home, or one whose certificate its owner looks
after, says nothing; nor does any box of its address, of its name at home, or of names below its
domain, which may be other machines.  By these an owner gets in whose certificate has ended.
"""

import time
from collections.abc import Callable
from typing import Final

from hausbote.base.settings import Settings
from hausbote.net.in_use import in_use

NAME: Final = "Strict-Transport-Security"
_VALUE: Final = f"max-age={30 * 86_400}"  # seconds; as long as a login, and each page begins anew
_LOOK_AGAIN: Final = 60.0  # seconds


class StrictTransport:
    """Looks now and then at the certificate that the box shows; `clock` is the time of day."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._looked_at = -_LOOK_AGAIN
        self._is_certified = False

    def field(self, host: str) -> str:
        """What an answer at that name says; "" if it says nothing."""
        return _VALUE if host == self._settings.ascii_domain and self._certified() else ""

    def _certified(self) -> bool:
        if self._settings.certificates.acme == "no":
            return False
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = now
            shown = in_use(self._settings)
            self._is_certified = (
                shown is not None and not shown.own and shown.begins <= self._clock() < shown.ends
            )
        return self._is_certified
