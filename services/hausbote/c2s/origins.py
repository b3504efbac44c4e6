"""Which web pages may log in over WebSocket and BOSH, and which of them are the box's own.

Browsers send the Origin (RFC 6454) of the page that asks, and no page can change that; other
programs send none, or whatever they like.
"""

from typing import Final
from urllib.parse import urlsplit

from hausbote.base.jid import a_label
from hausbote.base.settings import Settings
from hausbote.base.ways import WEB, Way, foreign

_LONGEST: Final = 300  # characters of an Origin; a name has 253


class Origins:
    """What `web.origins` and the box's own names mean for a request."""

    def __init__(self, settings: Settings) -> None:
        domain, ports = a_label(settings.domain), settings.ports
        found = [f"https://{domain}", settings.web_url]
        found += [f"https://{domain}:{port}" for port in (ports.web, ports.portal) if port]
        self._listed = bool(settings.web.origins)
        self._own = frozenset(map(origin_of, (*found, *settings.web.origins)))

    def admits(self, origin: str | None) -> bool:
        """Whether that page may log in here; what comes from no page may."""
        return origin is None or not self._listed or origin in self._own

    def way(self, origin: str | None) -> Way:
        """How a login from there is counted."""
        return WEB if origin is None or origin in self._own else foreign(origin[:_LONGEST])

    def allowed(self, origin: str | None) -> list[tuple[str, str]]:
        """Headers that let the page read the answer (https://fetch.spec.whatwg.org/#http-cors)."""
        if not self._listed:
            return [("Access-Control-Allow-Origin", "*")]
        one = [("Access-Control-Allow-Origin", origin)] if origin is not None else []
        return [*one, ("Vary", "Origin")]


def origin_of(url: str) -> str:
    """As browsers write it: in small letters, without the port that goes without saying."""
    parts = urlsplit(url)
    host, port = parts.netloc.lower(), ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{host.removesuffix(port)}"
