"""vCards of the newer kind (RFC 6351, XEP-0292) in the older one (XEP-0054): Prosody keeps what its
people say of themselves in the newer one alone."""

from typing import Final

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, Tree, el

_PLAIN: Final = {
    "fn": "FN",
    "nickname": "NICKNAME",
    "bday": "BDAY",
    "url": "URL",
    "title": "TITLE",
    "role": "ROLE",
    "note": "DESC",
}
_NESTED: Final = {"org": ("ORG", "ORGNAME"), "email": ("EMAIL", "USERID"), "tel": ("TEL", "NUMBER")}
_STRUCTURED: Final = {
    "n": (
        "N",
        {
            "surname": "FAMILY",
            "given": "GIVEN",
            "additional": "MIDDLE",
            "prefix": "PREFIX",
            "suffix": "SUFFIX",
        },
    ),
    "adr": (
        "ADR",
        {
            "pobox": "POBOX",
            "ext": "EXTADD",
            "street": "STREET",
            "locality": "LOCALITY",
            "region": "REGION",
            "code": "PCODE",
            "country": "CTRY",
        },
    ),
}


def in_old_form(vcard: Tree) -> Markup:
    """What both forms can say; the photo is a picture of its own."""
    parts = [part for one in vcard if (part := _part(one)) is not None]
    return el("vCard", *parts, xmlns=ns.VCARD)


def _part(element: Tree) -> Markup | None:
    name = element.tag.rpartition("}")[2]
    if name in _STRUCTURED:
        outer, fields = _STRUCTURED[name]
        inner = [
            el(fields[key], one.text)
            for one in element
            if (key := one.tag.rpartition("}")[2]) in fields and one.text
        ]
        return el(outer, *inner) if inner else None
    value = next((one.text for one in element if one.tag != _PARAMETERS and one.text), "")
    if value and name in _PLAIN:
        return el(_PLAIN[name], value)
    if value and name in _NESTED:
        outer, field = _NESTED[name]
        return el(outer, el(field, value.removeprefix("tel:")))
    return None


_PARAMETERS: Final = f"{{{ns.VCARD4}}}parameters"
