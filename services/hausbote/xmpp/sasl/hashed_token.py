"""The server's side of the Hashed Token mechanisms (draft-schmaus-kitten-sasl-ht-09).

One message each way, both proving the knowledge of a token.  The token itself is the key of the
HMAC, so a server has to know it: unlike a password it cannot be kept as a hash.

What does not fit always costs the same: the number of tokens compared never depends on how many
there are, and each is compared whether it is one of this mechanism or not.
"""

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from hausbote.base.jid import InvalidJID, prepare_local
from hausbote.xmpp.sasl.errors import SaslError

_HASH: Final = "sha256"
_BINDINGS: Final = {
    "HT-SHA-256-EXPR": "tls-exporter",
    "HT-SHA-256-ENDP": "tls-server-end-point",
    "HT-SHA-256-NONE": "",
}
_MAX_AUTHCID: Final = 1_023  # bytes
_TOKENS: Final = 4  # of one client: two that are valid (XEP-0484 §5.1), two that ended


class Token(Protocol):
    """`secret` is the text that the client was given, and `mechanism` the only one it is for."""

    @property
    def secret(self) -> str: ...

    @property
    def mechanism(self) -> str: ...


T = TypeVar("T", bound=Token)


class Proof(NamedTuple, Generic[T]):
    """The client knows `token` of the account `local`; `data` proves that we know it, too."""

    local: str
    token: T
    data: bytes


def token_mechanisms(bindings: Collection[str]) -> list[str]:
    """What to offer, best first: with the channel bindings that there are, and without."""
    return [name for name, type in _BINDINGS.items() if not type or type in bindings]


def check_token(
    mechanism: str,
    message: bytes,
    lookup: Callable[[str], Sequence[T]],
    bindings: Mapping[str, bytes],
) -> Proof[T]:
    """The proof in the client's message; SaslError if it is none.

    `lookup` gives the tokens that a name and this client have, those to be tried first in front.
    """
    if mechanism not in token_mechanisms(bindings):
        raise SaslError("invalid-mechanism")
    authcid, found, claimed = message.partition(b"\0")
    if not found or not authcid or not claimed or len(authcid) > _MAX_AUTHCID:
        raise SaslError("malformed-request")
    try:
        local = prepare_local(authcid.decode())
    except InvalidJID:
        raise SaslError("not-authorized") from None
    except UnicodeDecodeError:
        raise SaslError("malformed-request") from None
    binding = bindings.get(_BINDINGS[mechanism], b"")
    tokens = lookup(local)[:_TOKENS]
    candidates: list[T | None] = [*tokens, *[None] * (_TOKENS - len(tokens))]
    known: T | None = None
    for token in candidates:
        secret = token.secret if token is not None else ""
        fits = hmac.compare_digest(_signed(secret, b"Initiator", binding), claimed)
        if fits and known is None and token is not None and token.mechanism == mechanism:
            known = token
    if known is None:
        raise SaslError("not-authorized")
    return Proof(local, known, _signed(known.secret, b"Responder", binding))


def _signed(secret: str, role: bytes, binding: bytes) -> bytes:
    return hmac.digest(secret.encode(), role + binding, _HASH)
