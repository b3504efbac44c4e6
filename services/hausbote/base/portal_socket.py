"""Where the portal waits for what c2s passes on to it: a Unix socket beside those of the bus.

Requests come without TLS, each with the address of the client in a field of its own.  Whoever may
open the socket is the box's own user, and is believed.
"""

from typing import Final
from urllib.parse import quote

SOCKET: Final = "portal-web"
ADDRESS: Final = "Hausbote-Address"
LARGEST: Final = 65_536  # bytes of a request's body
_IN_PATHS: Final = "/:@!$&'()*+,;=-._~"  # what stays as it is (RFC 3986 §3.3),
_IN_QUERIES: Final = _IN_PATHS + "?%"  # and §3.4; %XX is that already
TOO_LARGE: Final = b"""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hausbote</title>
<h1>That is too large</h1>
<p>A picture has up to 60 kB here. <a href="">Back</a></p>
<p lang="de">Das ist zu gro&szlig;: Ein Bild hat hier bis zu 60 kB. <a href="">Zur&uuml;ck</a></p>
</html>
"""


def quoted_path(path: str) -> str:
    """The path of WSGI, whose characters are bytes, as it stands in an address."""
    return quote(path.encode("latin-1"), safe=_IN_PATHS)


def quoted_query(query: str) -> str:
    """The same for a query: browsers send no other bytes than ASCII, but somebody may."""
    return quote(query.encode("latin-1"), safe=_IN_QUERIES)
