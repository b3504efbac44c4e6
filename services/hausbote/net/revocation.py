"""Certificates that their authority took back: by lists (CRL) and stapled answers (OCSP)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from hausbote.base.settings import Settings
from hausbote.net.chains import TrustError
from hausbote.net.files import stamps

_PEM: Final = b"-----BEGIN X509 CRL-----"


class Revocations:
    """The lists of tls.revoked; TrustError if one cannot be read.

    A list that is out of date still counts: who was revoked stays it.
    """

    def __init__(self, settings: Settings) -> None:
        self._paths: Final = [settings.path(name) for name in settings.tls.revoked]
        self.reload()

    def changed(self) -> bool:
        return stamps(self._paths) != self._stamps

    def reload(self) -> None:
        self._stamps, lists = stamps(self._paths), []
        for path in self._paths:
            try:
                data = path.read_bytes()
                pem = data.lstrip().startswith(_PEM)
                load = x509.load_pem_x509_crl if pem else x509.load_der_x509_crl
                lists.append(load(data))
            except OSError as error:
                raise TrustError(f"{path} cannot be read: {error.strerror}.") from None
            except ValueError:
                raise TrustError(f"{path} is no list of revoked certificates.") from None
        self._lists = lists

    def revoke(self, path: Sequence[x509.Certificate]) -> bool:
        """Whether a certificate of a chain is in a list of the authority above it."""
        return any(
            _lists(one, certificate, issuer)
            for certificate, issuer in pairwise(path)
            for one in self._lists
        )


def _lists(
    revoked: x509.CertificateRevocationList,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
) -> bool:
    if revoked.issuer != issuer.subject:
        return False
    if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is None:
        return False
    try:
        return revoked.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, UnsupportedAlgorithm):
        return False


def staple_revokes(staple: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether an OCSP answer (DER) says, with the authority's signature, that it was revoked.

    An answer that says nothing is ignored: whoever wants to hide a revocation sends none at all.
    """
    try:
        answer = ocsp.load_der_ocsp_response(staple)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return False
        return any(
            one.certificate_status is ocsp.OCSPCertStatus.REVOKED
            and _is_about(one, certificate, issuer)
            for one in answer.responses
        ) and any(_signed(answer, signer) for signer in _signers(answer, issuer))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _is_about(
    one: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    builder = ocsp.OCSPRequestBuilder()
    asked = builder.add_certificate(certificate, issuer, one.hash_algorithm).build()
    return (one.serial_number, one.issuer_name_hash, one.issuer_key_hash) == (
        asked.serial_number,
        asked.issuer_name_hash,
        asked.issuer_key_hash,
    )


def _signers(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> list[x509.Certificate]:
    """Who may speak for the authority: itself, and those whom it has certified for that."""
    return [issuer, *[one for one in answer.certificates if _deputy(one, issuer)]]


def _deputy(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in purposes


def _signed(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, what, signature = signer.public_key(), answer.tbs_response_bytes, answer.signature
    algorithm = answer.signature_hash_algorithm
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, what)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(signature, what, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and isinstance(algorithm, hashes.HashAlgorithm):
            key.verify(signature, what, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True
