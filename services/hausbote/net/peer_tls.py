"""Our side of TLS with other servers, and the certificates that they show.

Any certificate is taken: the judge decides after the handshake.
"""

import contextlib
from typing import Final, NamedTuple

from OpenSSL import SSL, crypto

from hausbote.base.jid import a_label

ALPN_SERVER: Final = b"xmpp-server"


class Presented(NamedTuple):
    """What a peer showed of itself: its chain (DER, own certificate first), and an OCSP answer."""

    chain: tuple[bytes, ...]
    staple: bytes = b""


def take_any(context: SSL.Context) -> None:
    """Ask the peer for a certificate and take whatever it shows, or nothing."""
    context.set_verify(SSL.VERIFY_PEER, _any)


def ask_for_staple(context: SSL.Context) -> None:
    """Have servers staple an OCSP answer; once per context of the connecting side."""
    context.set_ocsp_client_callback(_keep_staple)


def name_peer(tls: SSL.Connection, domain: str) -> None:
    """Tell the server which domain is meant (SNI) and that an OCSP answer is welcome."""
    with contextlib.suppress(ValueError):
        tls.set_tlsext_host_name(a_label(domain).encode())
    tls.set_app_data(_Staple())
    tls.request_ocsp()


class _Staple:
    data = b""


def presented(tls: SSL.Connection) -> Presented:
    """After the handshake."""
    own = tls.get_peer_certificate()
    if own is None:
        return Presented(())
    chain = [_der(one) for one in tls.get_peer_cert_chain() or []]
    if not chain or chain[0] != _der(own):  # the accepting side has it apart
        chain.insert(0, _der(own))
    kept = tls.get_app_data()
    return Presented(tuple(chain), kept.data if isinstance(kept, _Staple) else b"")


def _any(_tls: SSL.Connection, _one: crypto.X509, _error: int, _depth: int, _ok: int) -> bool:
    return True


def _keep_staple(tls: SSL.Connection, staple: bytes, _data: object) -> bool:
    kept = tls.get_app_data()
    if isinstance(kept, _Staple):
        kept.data = staple
    return True


def _der(certificate: crypto.X509) -> bytes:
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
