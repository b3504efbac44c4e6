"""Compares stanzas with patterns: a pattern says what must be there, `*` stands for anything."""

from lxml import etree

CLIENT = "jabber:client"


def parse(text: str) -> etree._Element:
    """One element of the content namespace, from a pattern or from something to send."""
    return etree.fromstring(f"<x xmlns='{CLIENT}'>{text}</x>")[0]


def matches(pattern: etree._Element, actual: etree._Element) -> bool:
    """Whether `actual` has the pattern's name, attributes, text and, in order, its children."""
    if pattern.tag != actual.tag:
        return False
    for name, value in pattern.attrib.items():
        found = actual.get(name)
        if found is None or value not in ("*", found):
            return False
    text = (pattern.text or "").strip()
    if text not in ("", "*", (actual.text or "").strip()):
        return False
    remaining = iter(actual)
    return all(any(matches(wanted, child) for child in remaining) for wanted in pattern)


def shown(element: etree._Element) -> str:
    return etree.tostring(element).decode()
