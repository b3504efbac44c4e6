"""What a login is bound to (RFC 5929 §4.1, XEP-0440)."""

import base64
import hashlib
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from hausbote.xmpp.sasl import channel_binding_feature, server_end_point

# The library signs with neither any more, but certificates of that age are still about.
MD5 = base64.b64decode(
    "MIIBGzCBxqADAgECAhRUhjXl+CUk5XQowSbBvhGpp9G99TANBgkqhkiG9w0BAQQFADAMMQowCAYDVQQDDAF4MCAX"
    "DTI2MTEyNDE1MzAwOVoYDzIxMjYxMDMxMTUzMDA5WjAMMQowCAYDVQQDDAF4MFwwDQYJKoZIhvcNAQEBBQADSwAw"
    "SAJBAL/3rJlbG1TmjfAEF3SXK07iEP2bazKScrCzNx0T6Zj7IssVxMYn4124u7aQ2Ux3dBjyVJEQ+s/IRT9pXx6A"
    "o5ECAwEAATANBgkqhkiG9w0BAQQFAANBAAFjp2UROCQuTbxxbFqFwbNUQyZpKLTqwa6VrSzlvOqQhIdssg9U0hvt"
    "mfMTpXmUmMCMPHveR2We1Ze6XbKnJMg="
)
SHA_1 = base64.b64decode(
    "MIIBFzCBv6ADAgECAhRFOapgWjNTsZdvmGIVVDlFE0ClQDAJBgcqhkjOPQQBMAwxCjAIBgNVBAMMAXgwIBcNMjYx"
    "MTI0MTUzMDA5WhgPMjEyNjEwMzExNTMwMDlaMAwxCjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC"
    "AASlkyrusxbk+7G82MxoNm20rv4taH/hLam/6UlbhdYukaPeJicJkQ9JbGUk2M9zXjwVCWGul1kK7bcZQ2Hfve9/"
    "MAkGByqGSM49BAEDSAAwRQIhAJQDsh0IDNX5m61a9V49t68w3o3k1KkO1t3vql3SKC0uAiBBxoPbXPzW7ZQk5KOr"
    "h/OVI88Dr9UzWRY7prVe9KG+mQ=="
)


def certificate(key, hash):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.org")])
    dates = datetime(2026, 1, 1), datetime(2036, 1, 1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, *dates)
    return builder.sign(key, hash).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("hash", "name"), [(hashes.SHA256(), "sha256"), (hashes.SHA384(), "sha384")]
)
def test_the_end_point_is_the_certificate_under_the_hash_of_its_signature(hash, name):
    der = certificate(ec.generate_private_key(ec.SECP256R1()), hash)
    assert server_end_point(der) == hashlib.new(name, der).digest()


@pytest.mark.parametrize("der", [MD5, SHA_1], ids=["MD5", "SHA-1"])
def test_sha_256_stands_in_for_hashes_that_are_too_weak(der):
    assert server_end_point(der) == hashlib.sha256(der).digest()


def test_sha_256_stands_in_where_the_signature_names_no_hash():
    der = certificate(ed25519.Ed25519PrivateKey.generate(), None)
    assert server_end_point(der) == hashlib.sha256(der).digest()


def test_the_types_are_announced_in_order():
    assert channel_binding_feature(["tls-exporter", "tls-server-end-point"]) == (
        "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
        "<channel-binding type='tls-exporter'/>"
        "<channel-binding type='tls-server-end-point'/>"
        "</sasl-channel-binding>"
    )


def test_nothing_is_announced_where_there_is_nothing_to_bind_to():
    assert channel_binding_feature([]) is None
