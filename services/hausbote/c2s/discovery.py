"""Where web clients connect to, for those who know only the domain (XEP-0156, version 1.4.0)."""

import json
from typing import Final

from hausbote.base.settings import Settings
from hausbote.xmpp.xml import el

BOSH_PATH: Final = "/http-bind"
WEBSOCKET_PATH: Final = "/xmpp-websocket"
_XRD: Final = "http://docs.oasis-open.org/ns/xri/xrd-1.0"


def links(settings: Settings) -> dict[str, str]:
    """Link relations and their URLs."""
    base = settings.web_url
    return {
        "urn:xmpp:alt-connections:xbosh": base + BOSH_PATH,
        "urn:xmpp:alt-connections:websocket": "wss" + base.removeprefix("https") + WEBSOCKET_PATH,
    }


def xrd(settings: Settings) -> bytes:
    """/.well-known/host-meta (RFC 6415 §3)."""
    found = [el("Link", rel=rel, href=href) for rel, href in links(settings).items()]
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + el("XRD", *found, xmlns=_XRD).encode()


def jrd(settings: Settings) -> bytes:
    """/.well-known/host-meta.json (RFC 6415 appendix A)."""
    found = [{"rel": rel, "href": href} for rel, href in links(settings).items()]
    return json.dumps({"links": found}).encode()
