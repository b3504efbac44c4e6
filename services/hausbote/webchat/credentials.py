"""What the page logs in with: its address, and a token for one login within a minute.

It asks anew for each connection, also when it comes back after a break.  A token is of a browser
that is logged in to the portal, and ends with that, with a new password and with the account.
"""

from typing import Final, NamedTuple

from hausbote.base.settings import Settings
from hausbote.base.tokens import token
from hausbote.storage import Store

CREDENTIALS_PATH: Final = "/chat/credentials"
SECONDS: Final = 60  # between the page's request and its login, TLS and all
_SECRET_BITS: Final = 256


class Credentials(NamedTuple):
    """`jid` is the bare address; `token` is good for OAUTHBEARER at WebSocket and BOSH, once."""

    jid: str
    token: str


def make_credentials(
    store: Store, settings: Settings, local: str, agent: str, now: float
) -> Credentials | None:
    """For a page in the browser `agent` of the account `local`; waits for the disk.

    None if that browser is not among the account's clients any more, or the account is locked:
    whoever asks has to log in to the portal.  StorageError if nothing can be written.
    """
    secret = token(_SECRET_BITS)
    if not store.web_logins.issue(local, agent, secret, int(now), int(now) + SECONDS):
        return None
    return Credentials(f"{local}@{settings.domain}", secret)
