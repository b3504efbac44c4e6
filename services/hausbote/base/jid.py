"""Addresses (RFC 7622): parsed, prepared and compared in one place.

Preparation (`base.precis`) needs the PRECIS and IDNA tables, which cost 10 MB and are loaded with
the first address that is not plain ASCII.
"""

import ipaddress
import re
from typing import Final

_MAX_BYTES: Final = 1023
_MAX_UNPREPARED: Final = 2 * _MAX_BYTES  # characters; composing makes fewer of them
_CACHE_SIZE: Final = 4096
_CACHED_CHARACTERS: Final = 1_000_000  # strangers choose them: 4,096 of the longest take 100 MB
_MAX_CACHED: Final = 3 * _MAX_BYTES + 2  # characters
# Characters that PRECIS allows beside certain others only (RFC 5892 appendix A).  The whole text is
# looked through for each of them: 2,000 would hold everybody up for seconds.
_CONTEXTUAL: Final = re.compile(
    "[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u200c\u200d\u30fb]"
)
_MAX_CONTEXTUAL: Final = 32
# What keyboards write into emoji: variation selectors, tags, and joiners that do not stand after a
# virama, where they are part of a word.
_EMOJI_JOINT: Final = re.compile("[\ufe00-\ufe0f\U000e0020-\U000e007f]|([^\u200d]?)\u200d+")
_VIRAMA: Final = 9  # canonical combining class
_PLAIN_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%()*+,\-.;=?\[\\\]^_`{|}~]+\Z")
_PLAIN_DOMAIN: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\Z"
)
_PLAIN_RESOURCE: Final = re.compile(r"[\x20-\x7e]+\Z")
_EXCLUDED: Final = frozenset("\"&'/:<>@")
_LOCAL: Final = "the part before the @"
_RESOURCE: Final = "the resource"


class InvalidJID(ValueError):
    """Not an address; the message says why and does not repeat it."""


class JID:
    """localpart@domainpart/resourcepart, prepared; parts that are absent are ""."""

    __slots__ = ("bare", "domain", "full", "local", "resource")

    def __init__(self, local: str, domain: str, resource: str = "", bare: str = "") -> None:
        """From parts that are prepared already; for anything else there is `parse`."""
        self.local: Final = local
        self.domain: Final = domain
        self.resource: Final = resource
        self.bare: Final = bare or _joined(local, domain)
        self.full: Final = f"{self.bare}/{resource}" if resource else self.bare

    @classmethod
    def parse(cls, text: str) -> "JID":
        """The address in `text`; InvalidJID if it is none."""
        jid = _cache.get(text)
        if jid is None:
            jid = _remember(text)
        if isinstance(jid, str):
            raise InvalidJID(jid)
        return jid

    @property
    def is_bare(self) -> bool:
        return not self.resource

    def to_bare(self) -> "JID":
        """The address without its resource."""
        return JID.parse(self.bare) if self.resource else self

    def with_resource(self, resource: str) -> "JID":
        """The same account's address at a prepared resource."""
        return JID(self.local, self.domain, resource, self.bare)

    def __str__(self) -> str:
        return self.full

    def __repr__(self) -> str:
        return f"JID({self.full!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JID) and self.full == other.full

    def __hash__(self) -> int:
        return hash(self.full)


def names(text: str | None, jid: str) -> bool:
    """Whether a text is that address, which is prepared, in whatever spelling."""
    if text is None or text == jid:
        return text is not None
    try:
        return JID.parse(text).full == jid
    except InvalidJID:
        return False


# By what was to be parsed; or why it is no address, for finding that out is not cheap either.
_cache: dict[str, JID | str] = {}
_cached_characters = 0
_domains: dict[str, str] = {}


def _remember(text: str) -> JID | str:
    global _cached_characters
    if len(_cache) >= _CACHE_SIZE or _cached_characters > _CACHED_CHARACTERS:
        _cache.clear()
        _cached_characters = 0
    found: JID | str
    try:
        found = _make(text)
    except InvalidJID as problem:
        found = str(problem)
    if len(text) <= _MAX_CACHED:
        _cache[text] = found
        _cached_characters += len(text)
    return found


def _make(text: str) -> JID:
    """Addresses of one account or room share their strings: there are thousands in memory."""
    local, domain, resource = _prepare(text)
    if not resource:
        return JID(local, _one_of(domain))
    bare = _joined(local, domain)
    known = _cache.get(bare)
    if not isinstance(known, JID) or known.full != bare:
        known = JID(local, _one_of(domain))
        if text.startswith(f"{bare}/") and len(bare) <= _MAX_CACHED:
            _cache[known.full] = known
    return known.with_resource(resource)


def _one_of(domain: str) -> str:
    """The same string for all addresses of a domain.

    `sys.intern` would keep it for ever in Python 3.12.0 to 3.12.5, and domains are peers' choice.
    """
    if len(_domains) >= _CACHE_SIZE:
        _domains.clear()
    return _domains.setdefault(domain, domain)


def _joined(local: str, domain: str) -> str:
    return f"{local}@{domain}" if local else domain


def _prepare(text: str) -> tuple[str, str, str]:
    # The first slash ends the bare address, only then is the first at sign looked for (§3.1).
    bare, slash, resource = text.partition("/")
    local, at, domain = bare.partition("@")
    if not at:
        local, domain = "", bare
    elif not local:
        raise InvalidJID(f"{_LOCAL} is empty")
    if slash and not resource:
        raise InvalidJID(f"{_RESOURCE} is empty")
    return (
        prepare_local(local) if local else "",
        prepare_domain(domain),
        prepare_resource(resource) if resource else "",
    )


def prepare_local(text: str) -> str:
    """A localpart by UsernameCaseMapped and the exclusions of RFC 7622 §3.3.1."""
    if not _PLAIN_LOCAL.match(text):
        text = _precis(text, _LOCAL)
        if not _EXCLUDED.isdisjoint(text):
            raise InvalidJID(f"{_LOCAL} has a character that is not allowed there")
    return _short(text.lower() if text.isascii() else text, _LOCAL)


def prepare_resource(text: str) -> str:
    """A resourcepart by OpaqueString (RFC 7622 §3.4.1).

    What holds emoji together is taken out before: PRECIS forbids it (RFC 8264 §9.13, RFC 5892
    appendix A.2), but people have such nicks, and Resourceprep (RFC 3920), by which most servers
    go, takes it out as well (RFC 3454 appendix B.1), so that it never told two people apart.
    """
    if not _PLAIN_RESOURCE.match(text):
        text = _precis(_EMOJI_JOINT.sub(_without_joint, text), _RESOURCE)
    return _short(text, _RESOURCE)


def _without_joint(found: re.Match[str]) -> str:
    import unicodedata

    before = found[1] or ""
    belongs = before and unicodedata.combining(before) == _VIRAMA
    return f"{before}\u200d" if belongs else before


def prepare_password(text: str) -> str:
    """A password by SASLprep (RFC 4013), as SCRAM wants it (RFC 5802 §2.2).

    The newer OpaqueString would keep a "²" that is typed on a German keyboard; clients send "2".
    Letters newer than SASLprep's Unicode 3.2 pass (emoji are in use), and so does mixed direction.
    """
    if not _PLAIN_RESOURCE.match(text):
        text = _saslprep(text)
    if not text:
        raise InvalidJID("the password is empty")
    return text


def prepare_domain(text: str) -> str:
    """A domainpart (RFC 7622 §3.2): an IP address, or a name with its labels in Unicode."""
    text = text.removesuffix(".")
    lowered = text.lower()
    if lowered.endswith("."):
        raise InvalidJID("the domain ends in an empty label")
    if not _PLAIN_DOMAIN.match(lowered) or "xn--" in lowered:
        lowered = _ip_address(text) or _international(text)
    if any(len(label) > 63 for label in lowered.split(".")):
        raise InvalidJID("a label of the domain is too long")
    return _short(lowered, "the domain")


def _ip_address(text: str) -> str | None:
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        address = ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        raise InvalidJID("the domain is not an IPv6 address") from None
    if address.scope_id is not None:
        raise InvalidJID("the domain is an address that means something on one machine only")
    return f"[{address}]"


def _international(text: str) -> str:
    import idna

    if len(text) > _MAX_BYTES:  # mapping costs as much as the text is long
        raise InvalidJID(f"the domain is longer than {_MAX_BYTES} bytes")
    try:
        return idna.decode(idna.encode(text, uts46=True)).removesuffix(".")
    except (idna.IDNAError, UnicodeError, IndexError):
        raise InvalidJID("the domain is not a valid name") from None


def _precis(text: str, part: str) -> str:
    from hausbote.base import precis

    if not text:
        raise InvalidJID(f"{part} is empty")
    if len(text) > _MAX_UNPREPARED:
        raise InvalidJID(f"{part} is longer than {_MAX_BYTES} bytes")
    if len(_CONTEXTUAL.findall(text)) > _MAX_CONTEXTUAL:
        raise InvalidJID(f"{part} has too many characters that need others beside them")
    prepare = precis.opaque_string if part == _RESOURCE else precis.username_case_mapped
    try:
        return prepare(text)
    except precis.Disallowed:
        raise InvalidJID(f"{part} has a character that is not allowed there") from None


def _saslprep(text: str) -> str:
    import stringprep
    import unicodedata

    mapped = [
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    ]
    text = unicodedata.normalize("NFKC", "".join(mapped))
    prohibited = (
        stringprep.in_table_c21_c22,
        stringprep.in_table_c3,
        stringprep.in_table_c4,
        stringprep.in_table_c5,
        stringprep.in_table_c6,
        stringprep.in_table_c7,
        stringprep.in_table_c8,
        stringprep.in_table_c9,
    )
    if any(in_table(character) for character in text for in_table in prohibited):
        raise InvalidJID("the password has a character that is not allowed there")
    return text


def _short(text: str, part: str) -> str:
    if not text:
        raise InvalidJID(f"{part} is empty")
    if len(text) > _MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
        raise InvalidJID(f"{part} is longer than {_MAX_BYTES} bytes")
    return text


def a_label(domain: str) -> str:
    """The domain as DNS, URLs and certificates have it; ValueError if it cannot be there."""
    if domain.isascii():
        return domain.lower()
    import idna  # most services never need it

    try:
        return idna.encode(domain).decode()
    except (idna.IDNAError, IndexError) as error:
        raise ValueError("not a name for DNS") from error
