"""Credentials that end by themselves: the TURN REST scheme, which coturn calls use-auth-secret.

The name says until when, and whose they are; the password is the name's HMAC under a secret that
only we and the relay know.  The name is read by everything on the way and by the relay's log, so it
has a pseudonym where an account could stand; one account's is always the same, for its quota.
"""

import base64
import hashlib
import hmac
from typing import Final, NamedTuple

_STEPS: Final = 12  # in the life of credentials: new ones are made every twelfth of it


class Credentials(NamedTuple):
    username: str
    password: str
    expires: int  # seconds since 1970


def issue(secret: str, account: str, now: float, seconds: int) -> Credentials:
    """Credentials of an account that are good for so many seconds from now on, or a little less.

    Whoever asks again within a while gets the same ones.
    """
    expires = int(now) + seconds
    expires -= expires % max(1, seconds // _STEPS)
    username = f"{expires}:{_pseudonym(secret, account)}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return Credentials(username, base64.b64encode(digest).decode(), expires)


def _pseudonym(secret: str, account: str) -> str:
    digest = hmac.digest(secret.encode(), b"pseudonym\0" + account.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:12]).decode()
