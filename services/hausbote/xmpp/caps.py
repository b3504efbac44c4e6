"""The hash that stands for what a client can do (XEP-0115 §5); `caps2` has its successor."""

import base64
import hashlib
from typing import Final, NamedTuple

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Tree

HASHES: Final = {
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
}


class Caps(NamedTuple):
    """What <c/> in a presence says; `hash` is "" in the legacy format, which proves nothing."""

    node: str
    ver: str
    hash: str

    @property
    def disco_node(self) -> str:
        """Where to ask for what the hash stands for (XEP-0115 §6.2, XEP-0390 §4.3)."""
        if self.node == ns.CAPS_2:
            return f"{self.node}#{self.hash}.{self.ver}"
        return f"{self.node}#{self.ver}"


def features(query: Tree) -> list[str]:
    """The features that a disco#info result lists."""
    return [one.get("var", "") for one in query.findall(f"{{{ns.DISCO_INFO}}}feature")]


def verification(query: Tree, hash: str) -> str | None:
    """The hash of a disco#info result; None if it is ill-formed (§5.4) or the hash is unknown."""
    algorithm = HASHES.get(hash)
    if algorithm is None:
        return None
    identities = [
        "/".join(
            (one.get("category", ""), one.get("type", ""), one.get(_LANG, ""), one.get("name", ""))
        )
        for one in query.findall(f"{{{ns.DISCO_INFO}}}identity")
    ]
    names = features(query)
    forms = _forms(query)
    if forms is None or _doubled(identities) or _doubled(names):
        return None
    parts = [*sorted(identities, key=_octets), *sorted(names, key=_octets), *forms]
    text = "".join(f"{part}<" for part in parts)
    digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _forms(query: Tree) -> list[str] | None:
    """The parts that the forms of XEP-0128 add; None if a FORM_TYPE is there twice or ambiguous."""
    found: dict[str, list[str]] = {}
    for x in query.findall(f"{{{ns.DATA_FORMS}}}x"):
        kind, parts = _form(x)
        if kind is None:
            continue
        if kind in found or len(parts) == 0 or parts[0] != kind:
            return None
        found[kind] = parts
    return [part for kind in sorted(found, key=_octets) for part in found[kind]]


def _form(x: Tree) -> tuple[str | None, list[str]]:
    fields: list[tuple[str, list[str]]] = []
    kinds: list[str] = []
    for field in x.findall(f"{{{ns.DATA_FORMS}}}field"):
        values = [one.text or "" for one in field.findall(f"{{{ns.DATA_FORMS}}}value")]
        if field.get("var") == "FORM_TYPE":
            if field.get("type") == "hidden":
                kinds += values
        else:
            fields.append((field.get("var", ""), values))
    if not kinds:
        return None, []
    if len(set(kinds)) > 1:
        return kinds[0], []
    parts = [kinds[0]]
    for var, values in sorted(fields, key=lambda pair: _octets(pair[0])):
        parts += [var, *sorted(values, key=_octets)]
    return kinds[0], parts


def _octets(text: str) -> bytes:
    """What i;octet compares (RFC 4790 §9.3)."""
    return text.encode()


def _doubled(texts: list[str]) -> bool:
    return len(set(texts)) < len(texts)


_LANG: Final = f"{{{ns.XML}}}lang"
