"""The names in a certificate, and whether one of them is a server's (RFC 9525, RFC 6120 §13.7.1.2).

Only the subjectAltName counts; what else a certificate says of its subject is decoration.
"""

import ipaddress
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from hausbote.base.jid import InvalidJID, a_label, prepare_domain

SRV_NAME: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.7")  # RFC 4985
XMPP_ADDR: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # RFC 6120 §13.7.1.4
_SERVICE: Final = "_xmpp-server."
_IA5_STRING: Final = 0x16
_UTF8_STRING: Final = 0x0C
_MAX_OTHERS: Final = 100  # SRVNames and addresses that are looked at: to prepare one takes time


class Identities(NamedTuple):
    """Presented identifiers, by kind; DNS names as lower-case A-labels."""

    dns: frozenset[str]
    services: frozenset[str]  # the names of SRVNames for this service
    addresses: frozenset[str]  # XmppAddr, prepared, domains only
    ips: frozenset[str]

    @property
    def told(self) -> list[str]:
        """Names that may be shown to the owner: hosts, never persons."""
        return sorted(self.dns | self.services | self.addresses | self.ips)


def identities(certificate: x509.Certificate) -> Identities:
    """ValueError if the extension cannot be read."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Identities(frozenset(), frozenset(), frozenset(), frozenset())
    others = names.get_values_for_type(x509.OtherName)[:_MAX_OTHERS]
    services = [_text(one, _IA5_STRING).lower() for one in others if one.type_id == SRV_NAME]
    addresses = [_text(one, _UTF8_STRING) for one in others if one.type_id == XMPP_ADDR]
    return Identities(
        frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        frozenset(one.removeprefix(_SERVICE) for one in services if one.startswith(_SERVICE)),
        frozenset(_domain(address) for address in addresses) - {""},
        frozenset(str(ip) for ip in names.get_values_for_type(x509.IPAddress)),
    )


def matches(presented: Identities, domain: str) -> bool:
    """Whether one of them is the prepared domain."""
    ip = _ip(domain)
    if ip is not None:
        return ip in presented.ips
    if domain in presented.addresses:
        return True
    try:
        name = a_label(domain)
    except ValueError:
        return False
    if name in presented.dns or name in presented.services:
        return True
    # A wildcard stands for exactly one label, the leftmost.  For a name of two labels it would be
    # everybody below a top-level domain, which no authority can mean.
    above = name.partition(".")[2]
    return "." in above and f"*.{above}" in presented.dns


def _text(name: x509.OtherName, tag: int) -> str:
    """The string in an OtherName: a tag, a length and as many bytes; "" if it is something else."""
    value = name.value
    if len(value) < 2 or value[0] != tag:
        return ""
    length, start = value[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(value[2:start], "big")
    if len(value) != start + length:
        return ""
    try:
        return value[start:].decode("ascii" if tag == _IA5_STRING else "utf-8")
    except UnicodeDecodeError:
        return ""


def _domain(address: str) -> str:
    """The address prepared, if it is a domain alone; "" for persons and nonsense."""
    try:
        return "" if "@" in address or "/" in address else prepare_domain(address)
    except InvalidJID:
        return ""


def _ip(domain: str) -> str | None:
    try:
        return str(ipaddress.ip_address(domain.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None
