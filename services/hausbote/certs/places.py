"""Where certbot keeps its things, and where the services find their certificate.

    certs/acme/AUTHORITY/         certbot's: the account's key, what it has got, its logs
    certs/pairs/NAME/             chain.pem and key.pem that belong together; never written again
    certs/current                 a link to one of these
    certs/box.pem, certs/box.key  links to what is in current: these are what services read

An authority has a place of its own, so a rehearsal touches nothing of the real thing.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hausbote.base.settings import Settings

_LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
_STAGING: Final = "https://acme-staging-v02.api.letsencrypt.org/directory"
LINEAGE: Final = "box"  # what certbot calls the certificate


class Places:
    """Paths of one box and one authority."""

    def __init__(self, settings: Settings) -> None:
        chosen = settings.certificates
        default = _STAGING if chosen.staging == "yes" else _LETS_ENCRYPT
        self.server: Final = chosen.server or default
        self.authority: Final = urlsplit(self.server).netloc
        self.certs: Final = settings.state / "certs"
        self.acme: Final = self.certs / "acme" / re.sub(r"[^A-Za-z0-9.-]", "_", self.authority)
        self.config: Final = self.acme / "config"
        self.work: Final = self.acme / "work"
        self.logs: Final = self.acme / "logs"
        self.trust: Final = self.acme / "authorities.pem"
        self.lock: Final = self.certs / "acme" / "lock"
        self.renewal: Final = self.config / "renewal" / f"{LINEAGE}.conf"
        self.chain: Final = self.config / "live" / LINEAGE / "fullchain.pem"
        self.key: Final = self.config / "live" / LINEAGE / "privkey.pem"

    @property
    def authority_named(self) -> str:
        """As people call it."""
        return "Let's Encrypt" if self.authority.endswith("letsencrypt.org") else self.authority

    @property
    def lineages(self) -> list[Path]:
        """All that certbot keeps of certificates, but not of the account."""
        return [self.config / name for name in ("renewal", "live", "archive")]
