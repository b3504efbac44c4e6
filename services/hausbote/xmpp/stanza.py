"""A stanza as one small value: its start tag, what its children are, and their XML.

The XML is never the peer's bytes: the stream parser writes it anew from what it understood, in a
form that stands on its own (every child carries its namespace).  So a stanza can be sent on by
putting another start tag around `inner`, and only a handler that must look inside pays for a tree.
The same shape serves for elements that are no stanzas (<starttls/>, <auth/>, ...; XEP-0360).
"""

from typing import NamedTuple

from hausbote.base.compact import read, write
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, StanzaError
from hausbote.xmpp.xml import (
    Markup,
    NotParsable,
    Tree,
    el,
    escape_attribute,
    parse_element,
    plain_text,
    start_tag_attributes,
)


class Child(NamedTuple):
    """A child element of a stanza: namespace, local name, and its XML as we wrote it."""

    ns: str
    name: str
    xml: str


class Stanza:
    """Immutable by agreement: change one with `replace`, which makes another."""

    __slots__ = ("attrs", "children", "inner", "name", "ns")

    def __init__(
        self,
        name: str,
        attrs: dict[str, str],
        children: tuple[Child, ...] = (),
        inner: str | None = None,
        ns: str = ns.CLIENT,
    ) -> None:
        self.name = name
        self.attrs = attrs
        self.children = children
        self.inner = "".join([child.xml for child in children]) if inner is None else inner
        self.ns = ns

    def __repr__(self) -> str:
        return f"<{self.name} {self.type or ''}>"

    @property
    def type(self) -> str | None:
        return self.attrs.get("type")

    @property
    def id(self) -> str | None:
        return self.attrs.get("id")

    @property
    def to(self) -> str | None:
        return self.attrs.get("to")

    @property
    def sender(self) -> str | None:
        """The from attribute, under a name that Python can say."""
        return self.attrs.get("from")

    def replace(self, **changes: str | None) -> "Stanza":
        """The same stanza with other attributes; None removes one, `from_` is from."""
        attrs = dict(self.attrs)
        for key, value in changes.items():
            key = key.rstrip("_")
            if value is None:
                attrs.pop(key, None)
            else:
                attrs[key] = value
        return Stanza(self.name, attrs, self.children, self.inner, self.ns)

    def with_children(self, children: tuple[Child, ...]) -> "Stanza":
        """The same start tag around other children."""
        return Stanza(self.name, self.attrs, children, ns=self.ns)

    def child(self, ns: str, name: str) -> Child | None:
        """The first child of that name."""
        for child in self.children:
            if child.name == name and child.ns == ns:
                return child
        return None

    def text(self, ns: str, name: str) -> str | None:
        """The text of the first child of that name, None without one."""
        child = self.child(ns, name)
        return None if child is None else plain_text(child.xml)

    def around(self) -> tuple[str, str]:
        """What stands before and after the to attribute's value on the wire."""
        attrs = "".join(
            [f" {k}='{escape_attribute(v)}'" for k, v in self.attrs.items() if k != "to"]
        )
        end = f">{self.inner}</{self.name}>" if self.inner else "/>"
        return f"<{self.name} to='", f"'{attrs}{end}"

    def wire(self, more: str = "") -> bytes:
        """The stanza for a stream whose default namespace is the content namespace.

        `more` is a further child, of our own writing, for this one stream.
        """
        attrs = "".join([f" {k}='{escape_attribute(v)}'" for k, v in self.attrs.items()])
        if self.inner or more:
            return f"<{self.name}{attrs}>{self.inner}{more}</{self.name}>".encode()
        return f"<{self.name}{attrs}/>".encode()

    def standalone(self) -> Markup:
        """The stanza with its namespace, to stand inside an element of another one."""
        attrs = "".join([f" {k}='{escape_attribute(v)}'" for k, v in self.attrs.items()])
        return Markup(f"<{self.name} xmlns='{self.ns}'{attrs}>{self.inner}</{self.name}>")

    def pack(self) -> bytes:
        """The stanza for the bus and the store; `unpack` needs no XML parser."""
        return write((self.name, self.attrs, self.children))

    @classmethod
    def unpack(cls, data: bytes) -> "Stanza":
        """The stanza of `pack`; ValueError if it is none."""
        try:
            name, attrs, children = read(data)
            return cls(name, attrs, tuple([Child(*child) for child in children]))
        except (TypeError, ValueError) as problem:
            raise ValueError("not a packed stanza") from problem


def stanza(name: str, /, *children: Child, **attributes: str | None) -> Stanza:
    """A stanza of our own; attributes that are None are left out, `from_` is from."""
    attrs = {k.rstrip("_"): v for k, v in attributes.items() if v is not None}
    return Stanza(name, attrs, children)


def child(ns: str, name: str, /, *content: str | None, **attributes: str | None) -> Child:
    """A child element of our own in `ns`."""
    return Child(ns, name, el(name, *content, xmlns=ns, **attributes))


def start_tag(child: Child) -> dict[str, str]:
    """The attributes of a child as they stand in its start tag; nothing inside it is looked at."""
    return start_tag_attributes(child.xml)


def tree(child: Child) -> Tree:
    """The tree of a child, to look into; BadRequest if a namespace in it is no URI."""
    try:
        return parse_element(child.xml)
    except NotParsable:
        raise BadRequest("a namespace is not a URI") from None


def result(request: Stanza, payload: Child | None = None) -> Stanza:
    """The answer to an IQ (RFC 6120 §8.2.3)."""
    return Stanza("iq", _answer(request, "result"), () if payload is None else (payload,))


def error(request: Stanza, problem: StanzaError) -> Stanza:
    """The error that answers any stanza (RFC 6120 §8.3); never call it for an error."""
    reason = Child(ns.CLIENT, "error", problem.markup())
    children = (reason,) if problem.about is None else (problem.about, reason)
    return Stanza(request.name, _answer(request, "error"), children)


def _answer(request: Stanza, type: str) -> dict[str, str]:
    attrs = {"type": type}
    for ours, theirs in (("to", "from"), ("from", "to"), ("id", "id")):
        value = request.attrs.get(theirs)
        if value is not None:
            attrs[ours] = value
    return attrs
