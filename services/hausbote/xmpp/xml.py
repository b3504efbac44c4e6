"""The one place where XML is written and where XML parsers are made.

Written XML is `Markup`: a str that is known to be well-formed, so that text and markup cannot be
mixed up.  Read XML comes from expat in namespace mode (streams) or, for one element that expat has
already vetted, as an lxml tree.
"""

import re
from collections import Counter
from typing import Final

from lxml import etree

from hausbote.xmpp import ns

_TAGS: Final = re.compile(r"<[^>]*>")  # in our own writing no ">" stands inside an attribute
_ATTRIBUTES: Final = re.compile(r"\s([^\s=]+)='([^']*)'")
_REFERENCES: Final = (
    ("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&#13;", "\r"), ("&#10;", "\n"), ("&#9;", "\t"),
    ("&amp;", "&"),
)  # fmt: skip


class Markup(str):
    """XML that is well-formed as it stands; `el` escapes everything that is not."""

    __slots__ = ()


def escape_text(text: str) -> str:
    """`text` as XML character data; carriage returns survive the next parser as references."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#13;")
    return text


def escape_attribute(value: str) -> str:
    """`value` for an attribute in single quotes; white space survives normalisation."""
    if value.isalnum():
        return value
    value = escape_text(value)
    if "'" in value:
        value = value.replace("'", "&apos;")
    if "\n" in value:
        value = value.replace("\n", "&#10;")
    if "\t" in value:
        value = value.replace("\t", "&#9;")
    return value


def start_tag_attributes(xml: str) -> dict[str, str]:
    """The attributes of an element that we wrote ourselves, by their names as written."""
    head = xml[: xml.index(">")]
    return {name: _unescape(value) for name, value in _ATTRIBUTES.findall(head)}


def plain_text(xml: str) -> str:
    """The text of one element that we wrote ourselves, and of what is inside it."""
    return _unescape(_TAGS.sub("", xml))


def _unescape(text: str) -> str:
    for reference, character in _REFERENCES:
        if "&" not in text:
            break
        text = text.replace(reference, character)
    return text


def el(
    name: str, /, *children: "str | None", xmlns: str | None = None, **attributes: str | None
) -> Markup:
    """One element.

    Children that are `Markup` go in as they are, other strings are escaped, None is left out, as
    are attributes that are None.  Python's reserved words take a trailing underscore (`from_`),
    `xml_lang` is xml:lang.
    """
    head = [f"<{name}"]
    if xmlns is not None:
        head.append(f" xmlns='{escape_attribute(xmlns)}'")
    for key, value in attributes.items():
        if value is not None:
            key = "xml:lang" if key == "xml_lang" else key.rstrip("_")
            head.append(f" {key}='{escape_attribute(value)}'")
    inner = "".join(
        [
            child if isinstance(child, Markup) else escape_text(child)
            for child in children
            if child is not None
        ]
    )
    head.append(f">{inner}</{name}>" if inner else "/>")
    return Markup("".join(head))


Tree = etree._Element
"""An lxml element, to read."""

# -- trees -------------------------------------------------------------------------------------

_TREE_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)

# lxml interns every name it ever sees in a dictionary that never shrinks, so what peers may add to
# it is bounded for the life of the process, and one of them alone cannot use it up.  Everyday life
# needs a few hundred.
MAX_INTERNED_NAMES: Final = 20_000
MAX_NAMES_OF_ONE_SENDER: Final = 1_000
_interned: set[str] = set()
_brought_by: Counter[str] = Counter()
# In XML of our own writing no ">" and no single quote stands inside an attribute's value.
_START_TAGS: Final = re.compile(r"<([^/\s>]+)([^>]*)>")


class TooManyNames(Exception):
    """This process has shown lxml as many distinct names as it ever will, or of this sender."""


class NotParsable(Exception):
    """expat takes it, lxml does not."""


def parse_element(xml: str, sender: str = "") -> etree._Element:
    """The tree of one element that the stream parser wrote, in the content namespace.

    TooManyNames if its names go beyond what this process allows, or allows `sender`; NotParsable if
    lxml is stricter than expat, which it is about what a namespace may be called.
    """
    _count_names(xml, sender)
    wrapped = f"<x xmlns='{ns.CLIENT}'>{xml}</x>"
    try:
        return etree.fromstring(wrapped.encode(), _TREE_PARSER)[0]
    except etree.XMLSyntaxError as error:
        raise NotParsable from error


def write_tree(element: Tree, around: str = "") -> Markup:
    """An element of a tree in the form that the stream parser writes, so that it stands on its own.

    `around` is the namespace of what it is put into: "" writes its own in any case.
    """
    name = etree.QName(element)
    parts = [f"<{name.localname}"]
    uri = name.namespace or ""
    if uri != around:
        parts.append(f" xmlns='{escape_attribute(uri)}'")
    for number, (key, value) in enumerate(element.attrib.items()):
        parts += _attribute(str(key), str(value), number)
    inner = [escape_text(element.text or "")]
    for one in element:
        inner += [write_tree(one, uri), escape_text(one.tail or "")]
    content = "".join(inner)
    parts.append(f">{content}</{name.localname}>" if content else "/>")
    return Markup("".join(parts))


def _attribute(key: str, value: str, number: int) -> list[str]:
    name = etree.QName(key)
    written, declared = name.localname, ""
    if name.namespace == ns.XML:
        written = f"xml:{name.localname}"
    elif name.namespace:
        written = f"ns{number}:{name.localname}"
        declared = f" xmlns:ns{number}='{escape_attribute(name.namespace)}'"
    return [declared, f" {written}='{escape_attribute(value)}'"]


def _count_names(xml: str, sender: str) -> None:
    fresh = set()
    for element, attributes in _START_TAGS.findall(xml):
        if element not in _interned:
            fresh.add(element)
        for attribute, value in _ATTRIBUTES.findall(attributes) if "=" in attributes else ():
            if attribute not in _interned:
                fresh.add(attribute)
            if attribute.startswith("xmlns") and value not in _interned:
                fresh.add(value)
    if fresh:
        brought = _brought_by[sender] + len(fresh)
        if len(_interned) + len(fresh) > MAX_INTERNED_NAMES or brought > MAX_NAMES_OF_ONE_SENDER:
            raise TooManyNames
        _interned.update(fresh)
        _brought_by[sender] = brought
