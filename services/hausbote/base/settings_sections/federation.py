"""Other servers."""

import re
from dataclasses import dataclass
from datetime import date

from hausbote.base.settings_sections.definition import setting


@dataclass(frozen=True)
class Federation:
    """Other servers. A domain in a list stands for the names below it, too; the longest counts."""

    enabled: str = setting("yes", "Does the box talk with other servers?", choices=("yes", "no"))
    only_allowed: str = setting("no", "Only with those in `allow`?", choices=("no", "yes"))
    allow: tuple[str, ...] = setting(
        (), "Domains to talk with, even if a name above is denied, or in a private network."
    )
    deny: tuple[str, ...] = setting((), "Domains not to talk with.")
    pins: tuple[str, ...] = setting(
        (),
        "DOMAIN=FINGERPRINT YEAR-MONTH-DAY: until the end of that day the certificate with this "
        "SHA-256 fingerprint is right for the domain, whoever signed it, and no other is.",
    )
    dialback: tuple[str, ...] = setting(
        (),
        "Domains that need no certificate: DNS decides instead. TLS is needed all the same.",
    )
    queue_days: int = setting(
        3, "Days that messages wait for a server that cannot be reached. 0 = none wait."
    )
    queue_messages: int = setting(5_000, "Messages that wait for one server. 0 = no limit.")
    queue_bytes: int = setting(33_554_432, "Size of all that waits for one server. 0 = no limit.")

    @property
    def pins_by_domain(self) -> dict[str, list[tuple[str, date]]]:
        """(SHA-256 fingerprint, last day) of each domain's certificates."""
        found: dict[str, list[tuple[str, date]]] = {}
        for entry in self.pins:
            domain, fingerprint, last_day = parse_pin(entry)
            found.setdefault(domain, []).append((fingerprint, last_day))
        return found


def parse_pin(entry: str) -> tuple[str, str, date]:
    """(domain, fingerprint in lower-case hexadecimal, last day); ValueError if it is no pin."""
    domain, _, rest = entry.partition("=")
    fingerprint, _, last_day = rest.strip().partition(" ")
    fingerprint = fingerprint.replace(":", "").lower()
    if not re.fullmatch("[0-9a-f]{64}", fingerprint):
        raise ValueError("has no SHA-256 fingerprint, which are 64 hexadecimal digits")
    try:
        return domain.strip(), fingerprint, date.fromisoformat(last_day.strip())
    except ValueError:
        raise ValueError("does not end in a date like 2030-12-31") from None
