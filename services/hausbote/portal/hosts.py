"""Under which names the portal may be asked for.

Whoever comes for another name was sent here by somebody else's page, which has that name lead to
this machine (DNS rebinding).
"""

import ipaddress
from urllib.parse import urlsplit

from hausbote.base.settings import Settings


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
        if host in self._names or (host.endswith(".local") and host.isascii()):
            return host
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            return ""
