"""The one place where XML is written and where XML parsers are made.

Written XML is `Markup`: a str that is known to be well-formed, so that text and markup cannot be
mixed up.  Read XML comes from expat in namespace mode (streams) or, for one element that expat has
already vetted, as a tree: by lxml if it has only names that all know, else by expat once more.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Protocol, cast, overload
from xml.etree import ElementTree

from lxml import etree

from hausbote.xmpp import ns
from hausbote.xmpp.vocabulary import is_known

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


# -- trees -------------------------------------------------------------------------------------

_TREE_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


class NotParsable(Exception):
    """There is a brace in a namespace, which the names of trees have no room for."""


class Tree(Protocol):
    """An element of lxml or of ElementTree, to read and never to change; names are "{uri}local"."""

    @property
    def tag(self) -> str: ...
    @property
    def text(self) -> str | None: ...
    @property
    def tail(self) -> str | None: ...
    @property
    def attrib(self) -> Mapping[str, str]: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator["Tree"]: ...
    def __getitem__(self, index: int, /) -> "Tree": ...
    def find(self, path: str, /) -> "Tree | None": ...
    def findall(self, path: str, /) -> list["Tree"]: ...
    def findtext(self, path: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, default: str, /) -> str: ...


def parse_element(xml: str) -> Tree:
    """The tree of one element that the stream parser wrote, in the content namespace.

    lxml never forgets a name, so it is shown those that everybody knows; a tree of ElementTree is
    made of strings of its own.  Both read alike.  NotParsable if a namespace is no URI.
    """
    wrapped = f"<x xmlns='{ns.CLIENT}'>{xml}</x>".encode()
    if is_known(xml):
        return cast(Tree, etree.fromstring(wrapped, _TREE_PARSER)[0])
    try:
        # Our own writing: there is no document type, and so no entity.
        return cast(Tree, ElementTree.fromstring(wrapped)[0])  # noqa: S314
    except ElementTree.ParseError as error:
        raise NotParsable from error


def write_tree(element: Tree, around: str = "") -> Markup:
    """An element of a tree in the form that the stream parser writes, so that it stands on its own.

    `around` is the namespace of what it is put into: "" writes its own in any case.
    """
    uri, local = _parted(element.tag)
    parts = [f"<{local}"]
    if uri != around:
        parts.append(f" xmlns='{escape_attribute(uri)}'")
    for number, (key, value) in enumerate(element.attrib.items()):
        parts += _attribute(key, value, number)
    inner = [escape_text(element.text or "")]
    for one in element:
        inner += [write_tree(one, uri), escape_text(one.tail or "")]
    content = "".join(inner)
    parts.append(f">{content}</{local}>" if content else "/>")
    return Markup("".join(parts))


def _attribute(key: str, value: str, number: int) -> list[str]:
    uri, local = _parted(key)
    written, declared = local, ""
    if uri == ns.XML:
        written = f"xml:{local}"
    elif uri:
        written = f"ns{number}:{local}"
        declared = f" xmlns:ns{number}='{escape_attribute(uri)}'"
    return [declared, f" {written}='{escape_attribute(value)}'"]


def _parted(name: str) -> tuple[str, str]:
    """Namespace and local name of "{uri}local"; the uri may have braces of its own."""
    uri, _, local = name.rpartition("}")
    return uri[1:], local
