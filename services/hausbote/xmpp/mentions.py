"""Who a message in a room speaks to: by name in its words, or explicitly (XEP-0372, 0461, 0513)."""

from typing import Final
from urllib.parse import unquote

from hausbote.base.jid import JID, InvalidJID
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, start_tag

_EVERYBODY: Final = f"{ns.MENTIONS}#channel"


class Mentions:
    """What one message says of people, read once and asked for each of them.

    `addresses` are full or bare and casefolded, `ids` are occupant ids, `everybody` is for all who
    belong to the room.
    """

    __slots__ = ("_words", "addresses", "everybody", "ids", "sealed")

    def __init__(self, message: Stanza) -> None:
        self._words = (message.text(ns.CLIENT, "body") or "").casefold()
        self.addresses: set[str] = set()
        self.ids: set[str] = set()
        self.everybody = False
        self.sealed = False  # encrypted: nobody but its readers can tell
        for part in message.children:
            if part.name == "encrypted":
                self.sealed = True
            elif part.ns == ns.REFERENCES and part.name == "reference":
                said = start_tag(part)
                if said.get("type") == "mention":
                    self._note(_from_uri(said.get("uri", "")))
            elif part.ns == ns.REPLY and part.name == "reply":
                self._note(start_tag(part).get("to", ""))
            elif part.ns == ns.MENTIONS and part.name == "mention":
                self._explicit(part)

    def of(self, bare: str, room: str, nicks: list[str]) -> bool:
        """Whether somebody is meant: a bare address, with what they are called in the room."""
        if bare in self.addresses or self._spelled(bare):
            return True
        return any(
            f"{room}/{nick}".casefold() in self.addresses or self._spelled(nick) for nick in nicks
        )

    def _explicit(self, mention: Child) -> None:
        if "<noping" in mention.xml:  # of our own writing: an element
            return
        said = start_tag(mention)
        if said.get("mentions") == _EVERYBODY:
            self.everybody = True
        elif "mentions" not in said:
            self.ids.add(said.get("occupantid", ""))
            self._note(said.get("jid", ""))

    def _note(self, address: str) -> None:
        try:
            self.addresses.add(JID.parse(address).full.casefold())
        except InvalidJID:
            return

    def _spelled(self, name: str) -> bool:
        """Whether the words have the name, and not only as a part of another word."""
        name, words = name.casefold(), self._words
        at = words.find(name) if name else -1
        while at >= 0:
            end = at + len(name)
            before, after = words[at - 1 : at] if at else "", words[end : end + 1]
            if not (before.isalnum() or after.isalnum()):
                return True
            at = words.find(name, at + 1)
        return False


def _from_uri(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    return unquote(rest.partition("?")[0]) if scheme == "xmpp" else ""
