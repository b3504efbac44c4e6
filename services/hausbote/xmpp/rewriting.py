"""Stanzas out of trees: what somebody has written, in the form in which streams write it."""

from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.xml import Tree, write_tree


def stanza_of(element: Tree) -> Stanza:
    """The stanza that an element is, in whatever namespace: some exports forget the stanza's own.

    Attributes in namespaces of their own are left out, but for the language, and so is text beside
    its children.
    """
    home, _, name = element.tag.rpartition("}")
    attributes = {}
    for key, value in element.attrib.items():
        uri, _, local = key.rpartition("}")
        if not uri:
            attributes[local] = value
        elif uri[1:] == ns.XML:
            attributes[f"xml:{local}"] = value
    return Stanza(name, attributes, tuple([_child(one, home[1:]) for one in element]))


def _child(element: Tree, home: str) -> Child:
    uri, _, name = element.tag.rpartition("}")
    known = ns.CLIENT if uri[1:] == home else uri[1:]
    return Child(known, name, write_tree(element, home))
