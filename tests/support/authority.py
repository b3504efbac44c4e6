"""A certificate authority of the tests' own, and certificates that something is wrong with."""

import datetime
import ipaddress
import warnings
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from OpenSSL import crypto

SRV_NAME = ObjectIdentifier("1.3.6.1.5.5.7.8.7")
XMPP_ADDR = ObjectIdentifier("1.3.6.1.5.5.7.8.5")
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
_RSA = {}  # keys by size: making one takes a while


class Identity(NamedTuple):
    """A certificate with its key, and what is sent with it."""

    certificate: x509.Certificate
    key: object
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self):
        """As a peer shows it: DER, its own first."""
        return tuple(
            one.public_bytes(serialization.Encoding.DER) for one in (self.certificate, *self.above)
        )

    @property
    def fingerprint(self):
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def write(self, directory: Path, name: str):
        """NAME.pem with the chain and NAME.key; the two paths."""
        pem, key = directory / f"{name}.pem", directory / f"{name}.key"
        chain = (self.certificate, *self.above)
        pem.write_bytes(b"".join(pem_of(one) for one in chain))
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pem, key


def pem_of(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def curve_key():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits):
    if bits not in _RSA:
        _RSA[bits] = rsa.generate_private_key(65537, bits)
    return _RSA[bits]


class Authority:
    """A root, and an intermediate below it that signs; all certificates are for servers.

    `hash` is what signs a certificate; nothing but the deliberately weak ones names another.
    """

    def __init__(self, name="Test Root", **intermediate):
        self.key, self.intermediate_key = curve_key(), curve_key()
        subject = _name(name)
        self.root = _sign(subject, self.key, subject, self.key, ca=1, days=(-100, 3650))
        self.intermediate = _sign(
            _name(f"{name} Intermediate"), self.intermediate_key, subject, self.key, ca=0,
            **{"days": (-50, 1000)} | intermediate,
        )  # fmt: skip

    def write(self, directory: Path):
        """The root as a PEM file."""
        path = directory / "root.pem"
        path.write_bytes(pem_of(self.root))
        return path

    def issue(self, *names, send=True, **how):
        """A certificate with these DNS names; `how`: see _sign."""
        key = how.pop("key", None) or curve_key()
        alternatives = [x509.DNSName(name) for name in names] + list(how.pop("names", []))
        subject = how.pop("subject", None) or _name("a server")
        certificate = _sign(
            subject, key, self.intermediate.subject, self.intermediate_key,
            **{"names": alternatives, "purposes": (SERVER,)} | how,
        )  # fmt: skip
        return Identity(certificate, key, (self.intermediate,) if send else ())

    def revocation_list(self, *identities, key=None, updated=-1):
        """A CRL of the intermediate."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.intermediate.subject)
            .last_update(NOW + updated * DAY)
            .next_update(NOW + (updated + 7) * DAY)
        )
        for one in identities:
            entry = x509.RevokedCertificateBuilder()
            entry = entry.serial_number(one.certificate.serial_number).revocation_date(NOW - DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key or self.intermediate_key, hashes.SHA256())

    def staple(self, identity, *, revoked, signer=None):
        """An OCSP answer in DER; `signer` is another Identity than the authority."""
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        by = signer.certificate if signer else self.intermediate
        builder = ocsp.OCSPResponseBuilder().add_response(
            identity.certificate, self.intermediate, hashes.SHA1(), status, NOW - DAY, NOW + DAY,
            NOW - DAY if revoked else None, None,
        )  # fmt: skip
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by)
        if signer:
            builder = builder.certificates([signer.certificate])
        key = signer.key if signer else self.intermediate_key
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def self_signed(*names, more=(), **how):
    """A certificate that only its owner vouches for."""
    key, subject = curve_key(), _name("a server")
    alternatives = [*[x509.DNSName(name) for name in names], *more]
    return Identity(_sign(subject, key, subject, key, names=alternatives, **how), key)


class Shelf:
    """Certificates of one authority for one domain, good and bad, each named for what it is."""

    def __init__(self, authority, domain):
        self.authority, self.domain = authority, domain
        self.above = domain.partition(".")[2]

    def good(self):
        good = {
            "server": self._issue(),
            "any-purpose": self._issue(purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
            "no-purpose": self._issue(purposes=()),
            "server-and-client": self._issue(purposes=(SERVER, CLIENT)),
            "srv-name": self.authority.issue(names=[srv_name(self.domain)]),
            "xmpp-addr": self.authority.issue(names=[xmpp_addr(self.domain)]),
            "many-names": self.authority.issue("another.example", self.domain, "third.example"),
            "upper-case": self.authority.issue(self.domain.upper()),
            "rsa-2048": self._issue(key=rsa_key(2048)),
        }
        if "." in self.above:
            good["wildcard"] = self.authority.issue(f"*.{self.above}")
        return good

    def bad(self):
        """By the word of the cause that they are refused for."""
        return {
            "self-signed": self_signed(self.domain),
            "unknown-authority": Authority("Stranger").issue(self.domain),
            "incomplete": self._issue(send=False),
            "expired": self._issue(days=(-90, -1)),
            "not-yet-valid": self._issue(days=(1, 90)),
            "wrong-name": self.authority.issue("elsewhere.example"),
            "nameless": self.authority.issue(subject=_name(self.domain)),
            "not-for-servers": self._issue(purposes=(CLIENT,)),
            "weak-key": self._issue(key=rsa_key(1024)),
            "weak-signature": self._issue(hash="sha1"),
        }

    def wrong_names(self):
        """Names that come near and do not fit."""
        issue, domain = self.authority.issue, self.domain
        label = domain.partition(".")[0]
        return {
            "wildcard-of-itself": issue(f"*.{domain}"),
            "wildcard-two-above": issue(f"*.{self.above.partition('.')[2] or 'example'}"),
            "wildcard-in-a-label": issue(f"{label[:1]}*.{self.above}"),
            "wildcard-alone": issue("*"),
            "wildcard-second": issue(f"{label}.*"),
            "other-service": issue(names=[srv_name(domain, "_imap")]),
            "client-service": issue(names=[srv_name(domain, "_xmpp-client")]),
            "wildcard-service": issue(names=[srv_name(f"*.{self.above}")]),
            "person": issue(names=[xmpp_addr(f"romeo@{domain}")]),
            "longer": issue(f"{domain}.evil.example"),
            "nul": issue(names=[xmpp_addr(f"{domain}\0.evil.example")]),
            "uri": issue(names=[x509.UniformResourceIdentifier(f"xmpp:{domain}")]),
            "mail": issue(names=[x509.RFC822Name(f"romeo@{domain}")]),
            "common-name-beside": issue("elsewhere.example", subject=_name(domain)),
        }

    def _issue(self, **how):
        return self.authority.issue(self.domain, **how)


def srv_name(domain, service="_xmpp-server"):
    text = f"{service}.{domain}".encode()
    return x509.OtherName(SRV_NAME, bytes([0x16, len(text)]) + text)


def xmpp_addr(address):
    text = address.encode()
    return x509.OtherName(XMPP_ADDR, bytes([0x0C, len(text)]) + text)


def ip_name(address):
    return x509.IPAddress(ipaddress.ip_address(address))


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(signs):
    """Of a key: signing certificates, or proving oneself."""
    return x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False)


def _sign(
    subject, key, issuer, issuer_key, *,
    names=(), purposes=(), days=(-10, 80), hash=None, ca=None, permitted=(), signs=None,
):  # fmt: skip
    """`ca`: how many authorities may be below; `days`: from and to, counted from now.

    `signs`: whether the key may sign certificates, if that is not what `ca` says.

    With hash="sha1" OpenSSL signs, for the library at hand does not sign like that any more.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + days[0] * DAY)
        .not_valid_after(NOW + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca is not None, ca), critical=True)
        .add_extension(_usage(ca is not None if signs is None else signs), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if permitted:
        trees = [x509.DNSName(name) for name in permitted]
        builder = builder.add_extension(x509.NameConstraints(trees, None), critical=True)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    if hash is None:
        return certificate
    again = crypto.X509.from_cryptography(certificate)
    with warnings.catch_warnings(action="ignore"):
        again.sign(crypto.PKey.from_cryptography_key(issuer_key), hash)
    return again.to_cryptography()
