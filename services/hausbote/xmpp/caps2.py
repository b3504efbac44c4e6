"""The hashes that stand for what a client can do, as XEP-0390 makes them.

Unlike those of XEP-0115 they are over something that can be read in one way only.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

from hausbote.xmpp import ns
from hausbote.xmpp.caps import Caps
from hausbote.xmpp.xml import Tree

HASHES: Final = {
    "sha-256": "sha256",
    "sha-512": "sha512",
    "sha3-256": "sha3_256",
    "sha3-512": "sha3_512",
}
_INFO: Final = f"{{{ns.DISCO_INFO}}}"
_FORM: Final = f"{{{ns.DATA_FORMS}}}"
_LANG: Final = f"{{{ns.XML}}}lang"
_PART, _FORM_END, _ITEM, _VALUE = b"\x1c", b"\x1d", b"\x1e", b"\x1f"


def read(c: Tree) -> Caps | None:
    """What <c/> in a presence says, by a hash function that we know; None without one."""
    for hash in c.findall(f"{{{ns.HASHES_2}}}hash"):
        algorithm = hash.get("algo", "")
        if algorithm in HASHES:
            return Caps(ns.CAPS_2, "".join((hash.text or "").split()), algorithm)
    return None


def verification(query: Tree, hash: str) -> str | None:
    """The hash of a disco#info result (§4.1); None if it is ill-formed or the hash is unknown."""
    algorithm = HASHES.get(hash)
    features, identities, forms = [], [], []
    for element in query:
        if element.tag == f"{_INFO}feature":
            features.append(_values([element.get("var", "")]))
        elif element.tag == f"{_INFO}identity":
            names = ("category", "type", _LANG, "name")
            identities.append(_values([element.get(name, "") for name in names]) + _ITEM)
        elif element.tag == f"{_FORM}x" and _is_plain(element):
            forms.append(_form(element))
        else:
            return None
    if algorithm is None:
        return None
    parts = [b"".join(sorted(part)) + _PART for part in (features, identities, forms)]
    digest = hashlib.new(algorithm, b"".join(parts), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _is_plain(form: Tree) -> bool:
    """Whether its fields mean what its FORM_TYPE says, and there is no table in it."""
    kinds = [one for one in form.findall(f"{_FORM}field") if one.get("var") == "FORM_TYPE"]
    tables = form.find(f"{_FORM}reported"), form.find(f"{_FORM}item")
    return len(kinds) == 1 and kinds[0].get("type") == "hidden" and tables == (None, None)


def _form(form: Tree) -> bytes:
    fields = []
    for field in form.findall(f"{_FORM}field"):
        values = sorted(_values([one.text or ""]) for one in field.findall(f"{_FORM}value"))
        fields.append(_values([field.get("var", "")]) + b"".join(values) + _ITEM)
    return b"".join(sorted(fields)) + _FORM_END


def _values(texts: Iterable[str]) -> bytes:
    return b"".join(text.encode() + _VALUE for text in texts)
