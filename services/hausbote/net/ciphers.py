"""Which ciphers TLS may use, and in what order: what is cheapest on this processor comes first.

All of them are good.  Where the processor knows AES, as PCs and the Raspberry Pi 5 do, that with
128 bits and SHA-256 costs least: the handshake a tenth less than with 256 bits and SHA-384, which
many clients put first.  Where it does not, as on the Raspberry Pi 4, it is ChaCha20.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

_CPU: Final = Path("/proc/cpuinfo")
_HAS_AES: Final = re.compile(r"^(?:flags|Features)\s*:.*\baes\b", re.MULTILINE)


class Ciphers(NamedTuple):
    """In OpenSSL's words."""

    tls12: bytes
    tls13: bytes


_AES_FIRST: Final = Ciphers(
    b"ECDHE+AES128+AESGCM:ECDHE+CHACHA20:ECDHE+AESGCM",
    b"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384",
)
_CHACHA20_FIRST: Final = Ciphers(
    b"ECDHE+CHACHA20:ECDHE+AES128+AESGCM:ECDHE+AESGCM",
    b"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
)


def cheapest(cpuinfo: str) -> Ciphers:
    """For the processor that the kernel describes like that (/proc/cpuinfo)."""
    return _AES_FIRST if _HAS_AES.search(cpuinfo) else _CHACHA20_FIRST


CIPHERS: Final = cheapest(_CPU.read_text("utf-8"))
"""For this processor."""
