"""Channel binding as the stream announces and defines it (RFC 5929, RFC 9266, XEP-0440)."""

from collections.abc import Iterable

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, el


def server_end_point(certificate: bytes) -> bytes:
    """tls-server-end-point data of a DER certificate (RFC 5929 §4.1).

    The hash is that of the certificate's signature; SHA-256 stands in for MD5 and SHA-1, and for
    signatures that use none or several.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    parsed = x509.load_der_x509_certificate(certificate)
    algorithm = parsed.signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    return parsed.fingerprint(algorithm)


def channel_binding_feature(bindings: Iterable[str]) -> Markup | None:
    """<sasl-channel-binding/> for these types, None for none."""
    types = [el("channel-binding", type=binding) for binding in bindings]
    return el("sasl-channel-binding", *types, xmlns=ns.SASL_CHANNEL_BINDING) if types else None
