"""Archive ids as clients see them: they tell nothing, and nobody can make one up (XEP-0359 §6).

In the store an id is a time.  Outside it is encrypted together with a digest of whose archive it is
for; what does not decrypt to that digest is no id of that archive, without a look into the store.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hausbote.core.host import Host
from hausbote.storage import Store
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, start_tag
from hausbote.xmpp.xml import escape_attribute

_BLOCK: Final = 16  # bytes: an id and a digest


class _Key:
    """The box's key for ids, read at first use."""

    __slots__ = ("decryptor", "encryptor")

    def __init__(self) -> None:
        self.encryptor: Any = None
        self.decryptor: Any = None


def seal(host: Host, local: str, id: int) -> str:
    """The id of a message in an account's archive, for its clients."""
    block: bytes = _key(host).encryptor.update(id.to_bytes(8, "big") + _digest(local))
    return block.hex()


def seal_all(host: Host, local: str, ids: Sequence[int]) -> list[str]:
    """Likewise, in one step."""
    return _sealed(_key(host).encryptor, local, ids)


def sealer(store: Store) -> Callable[[str, Sequence[int]], list[str]]:
    """What does the same without a running service."""
    return partial(_sealed, _cipher(store).encryptor())


def _sealed(encryptor: Any, local: str, ids: Sequence[int]) -> list[str]:
    digest = _digest(local)
    plain = b"".join([id.to_bytes(8, "big") + digest for id in ids])
    sealed: str = encryptor.update(plain).hex()
    return [sealed[at : at + 2 * _BLOCK] for at in range(0, len(sealed), 2 * _BLOCK)]


def unseal(host: Host, local: str, text: str) -> int | None:
    """The id in the store; None if it is none of this account's archive."""
    if len(text) != 2 * _BLOCK:
        return None
    try:
        block = bytes.fromhex(text)
    except ValueError:
        return None
    if len(block) != _BLOCK or block.hex() != text:
        return None
    plain: bytes = _key(host).decryptor.update(block)
    id = int.from_bytes(plain[:8], "big")
    return id if plain[8:] == _digest(local) and id < 1 << 63 else None


def stanza_id(host: Host, local: str, id: int) -> Child:
    """Where, and under which id, a message is kept (XEP-0359 §3.1)."""
    by = escape_attribute(f"{local}@{host.domain}")
    text = f"<stanza-id xmlns='{ns.STANZA_ID}' by='{by}' id='{seal(host, local, id)}'/>"
    return Child(ns.STANZA_ID, "stanza-id", text)


def claimed(stanza: Stanza, by: str) -> str | None:
    """The id that a message says it has in that account's archive; None without one."""
    for part in stanza.children:
        if _is_id(part):
            tag = start_tag(part)
            if tag.get("by") == by:
                return tag.get("id", "")
    return None


def _is_id(part: Child) -> bool:
    return part.ns == ns.STANZA_ID and part.name == "stanza-id"


def _key(host: Host) -> _Key:
    key = host.state(_Key)
    if key.encryptor is None:
        cipher = _cipher(host.store)
        key.decryptor, key.encryptor = cipher.decryptor(), cipher.encryptor()
    return key


def _cipher(store: Store) -> Cipher[modes.ECB]:
    # Every block is another one, so there is nothing that a mode of operation would hide.
    return Cipher(algorithms.AES(store.secret("archive ids")), modes.ECB())  # noqa: S305


@lru_cache(maxsize=1_000)
def _digest(local: str) -> bytes:
    return hashlib.blake2b(local.encode(), digest_size=8).digest()
