"""Under which names the portal may be asked for.

Whoever comes for another name was sent here by somebody else's page, which has that name lead to
this machine (DNS rebinding).
"""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from hausbote.base.settings import Settings

_AT_HOME: Final = re.compile(r"[a-z0-9.-]{1,247}\.local")  # RFC 6762 §3


class Hosts:
    """The names of a box."""

    def __init__(self, settings: Settings) -> None:
        web = urlsplit(settings.web_url).hostname or ""
        self._names = {settings.ascii_domain, web.strip("[]"), "localhost"}

    def ours(self, field: str) -> str:
        """The name or address in a Host field (RFC 9110 §7.2) if it is one of ours, else "".

        At home people may know nothing but an address, or a name that only their network has.
        """
        try:
            host = urlsplit(f"//{field}").hostname or ""
        except ValueError:
            return ""
        if field.partition("@")[1] or not host:
            return ""
        if host in self._names or _AT_HOME.fullmatch(host):
            return host
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            return ""
