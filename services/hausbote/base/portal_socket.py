"""Where the portal waits for what c2s passes on to it: a Unix socket beside those of the bus.

Requests come without TLS, each with the address of the client in a field of its own.  Whoever may
open the socket is the box's own user, and is believed.
"""

from typing import Final

SOCKET: Final = "portal-web"
ADDRESS: Final = "Hausbote-Address"
LARGEST: Final = 65_536  # bytes of a request's body
