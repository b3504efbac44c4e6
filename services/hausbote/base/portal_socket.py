"""Where the portal waits for what c2s passes on to it: a Unix socket beside those of the bus.

Requests come without TLS, each with the address of the client in a field of its own.  Whoever may
open the socket is the box's own user, and is believed.
"""

from typing import Final

SOCKET: Final = "portal-web"
ADDRESS: Final = "Hausbote-Address"
LARGEST: Final = 65_536  # bytes of a request's body
TOO_LARGE: Final = b"""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hausbote</title>
<h1>That is too large</h1>
<p>A picture has up to 60 kB here. <a href="">Back</a></p>
<p lang="de">Das ist zu gro&szlig;: Ein Bild hat hier bis zu 60 kB. <a href="">Zur&uuml;ck</a></p>
</html>
"""
