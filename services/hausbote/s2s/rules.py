"""What the owner has decided about other servers."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

from hausbote.base.settings import Settings
from hausbote.net.judge import Pin

T = TypeVar("T")

# Why a name is refused.
_ALLOWED: Final = ""
_DENIED_BY_SETTINGS: Final = "The settings deny {}: federation.deny."
_DENIED_BY_OWNER: Final = "The owner of the box denies {}."


class Rule(NamedTuple):
    """What holds for one domain."""

    allowed: bool
    refusal: str = ""  # a sentence for the owner, if it is not allowed
    pins: tuple[Pin, ...] = ()
    dialback: bool = False
    known: bool = False  # whether the settings name it, or a name above it, as one to talk with


class Rules:
    """The settings of federation, and what the owner has `decided` while the box ran, by domain.

    A domain stands for the names below it, too: who denies a server means its rooms as well.  The
    longest name that fits a domain counts; of one name, what was decided does.
    """

    def __init__(self, settings: Settings, decided: Mapping[str, bool]) -> None:
        federation = settings.federation
        self._enabled: Final = federation.enabled == "yes"
        self._listed: Final = {
            **dict.fromkeys(federation.allow, _ALLOWED),
            **dict.fromkeys(federation.deny, _DENIED_BY_SETTINGS),
            **{name: _ALLOWED if good else _DENIED_BY_OWNER for name, good in decided.items()},
        }
        self._only_allowed: Final = federation.only_allowed == "yes"
        self._dialback: Final = dict.fromkeys(federation.dialback, True)
        self._pins: Final = {
            domain: tuple(Pin(fingerprint, last_day) for fingerprint, last_day in pins)
            for domain, pins in federation.pins_by_domain.items()
        }

    def for_domain(self, domain: str) -> Rule:
        """The rule for a prepared domain."""
        if not self._enabled:
            return Rule(False, "The box does not talk with other servers: federation.enabled.")
        refusal = _nearest(self._listed, domain)
        if refusal:
            return Rule(False, refusal.format(domain))
        if refusal is None and self._only_allowed:
            return Rule(False, f"Only listed servers are allowed, and {domain} is not in the list.")
        pins = _nearest(self._pins, domain) or ()
        dialback = _nearest(self._dialback, domain) or False
        known = refusal == _ALLOWED or bool(pins or dialback)
        return Rule(True, pins=pins, dialback=dialback, known=known)


def _nearest(entries: dict[str, T], domain: str) -> T | None:
    """The entry of the domain, or else of the nearest name above it."""
    while domain:
        if domain in entries:
            return entries[domain]
        domain = domain.partition(".")[2]
    return None
