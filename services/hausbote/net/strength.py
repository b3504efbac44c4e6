"""What a certificate must be beside trusted: made for servers, its key and signature strong."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

_RSA_BITS: Final = 2048
_CURVE_BITS: Final = 256
_PURPOSES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
_WEAK_HASHES: Final = ("md2", "md4", "md5", "sha1")


def for_servers(certificate: x509.Certificate, *, own: bool) -> bool:
    """Whether a server may use it, or its authority certify servers: no purpose means any."""
    extensions = certificate.extensions
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if not any(purpose in purposes for purpose in _PURPOSES):
            return False
    except x509.ExtensionNotFound:
        pass
    if not own:
        return True  # that an authority may sign certificates was seen when the chain was built
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.key_encipherment or usage.key_agreement


def weak_key(certificate: x509.Certificate) -> str:
    """What is weak about the key; "" if nothing is."""
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "it is of an unknown kind"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA with {key.key_size} bits" if key.key_size < _RSA_BITS else ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"a curve of {key.key_size} bits" if key.key_size < _CURVE_BITS else ""
    return "" if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) else "its kind"


def weak_signature(certificate: x509.Certificate) -> str:
    """The weak hash in the certificate's signature; "" if there is none."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "an unknown hash"
    if algorithm is None or algorithm.name not in _WEAK_HASHES:  # Ed25519 has its own
        return ""
    return algorithm.name.upper().replace("SHA1", "SHA-1")
