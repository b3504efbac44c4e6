"""The profiles of PRECIS that addresses need (RFC 8265 §3.3, §4.2), at a bearable cost.

The rules are the library's, but it derives the property of every character anew, four times per
text, which takes 6 µs a character: an address of 1,023 bytes held everybody up for milliseconds.
Here a character's property is remembered, in a table of one byte for each code point.
"""

import sys
from typing import Final

from precis_i18n.bidi import bidi_rule
from precis_i18n.context import context_rule_error
from precis_i18n.derived import CONTEXTJ, CONTEXTO, FREE_PVAL, PVALID, derived_property
from precis_i18n.unicode import UnicodeData

_KNOWN: Final = 1
_IDENTIFIER: Final = 2  # may stand anywhere in a text of the IdentifierClass (RFC 8264 §4.2)
_FREE_FORM: Final = 4  # the same in the FreeformClass (§4.3)
_CONTEXTUAL: Final = 8  # depends on what stands beside it
_RIGHT_TO_LEFT: Final = 16

_unicode: Final = UnicodeData()
_kinds: Final = bytearray(sys.maxunicode + 1)  # pages that are never looked at take no memory


class Disallowed(ValueError):
    """The text has a character that is not allowed there."""


def username_case_mapped(text: str) -> str:
    """UsernameCaseMapped (RFC 8265 §3.3); Disallowed if the text cannot be one."""
    mapped = _username(text)
    if _username(mapped) != mapped:
        raise Disallowed
    if _check(mapped, _IDENTIFIER) & _RIGHT_TO_LEFT and not bidi_rule(mapped, _unicode):
        raise Disallowed
    return mapped


def opaque_string(text: str) -> str:
    """OpaqueString (RFC 8265 §4.2); Disallowed if the text cannot be one."""
    mapped = _opaque(text)
    if _opaque(mapped) != mapped:
        raise Disallowed
    _check(mapped, _FREE_FORM)
    return mapped


def _username(text: str) -> str:
    normal: str = _unicode.normalize("NFC", _unicode.width_map(text).lower())
    return normal


def _opaque(text: str) -> str:
    normal: str = _unicode.normalize("NFC", _unicode.map_nonascii_space_to_ascii(text))
    return normal


def _check(text: str, allowed: int) -> int:
    """What kinds of characters there are; Disallowed if one may not be in the text."""
    seen = 0
    for character in set(text):
        kind = _kinds[ord(character)] or _learn(character)
        seen |= kind
        if kind & allowed:
            continue
        if not (kind & _CONTEXTUAL and _fits(character, text)):
            raise Disallowed
    return seen


def _learn(character: str) -> int:
    kind = _KNOWN
    derived, _ = derived_property(ord(character), _unicode)
    if derived == PVALID:
        kind |= _IDENTIFIER | _FREE_FORM
    elif derived == FREE_PVAL:
        kind |= _FREE_FORM
    elif derived in (CONTEXTJ, CONTEXTO):
        kind |= _CONTEXTUAL
    if _unicode.bidirectional(character) in ("R", "AL", "AN"):
        kind |= _RIGHT_TO_LEFT
    _kinds[ord(character)] = kind
    return kind


def _fits(character: str, text: str) -> bool:
    """Whether the character stands beside what it needs, wherever it is (RFC 5892 appendix A)."""
    at = text.find(character)
    while at >= 0:
        if context_rule_error(text, at, _unicode):
            return False
        at = text.find(character, at + 1)
    return True
