"""What the parts of an account mean: elements of XEP-0227 to what the store keeps.

`Unusable` says why a part cannot be taken over.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from hausbote.base.clock import moment
from hausbote.base.jid import JID, InvalidJID
from hausbote.base.moment_ids import MICROSECONDS
from hausbote.storage import Affiliation, Preferences, RosterItem, Subscription
from hausbote.xmpp import ns
from hausbote.xmpp.rewriting import stanza_of
from hausbote.xmpp.sasl import ScramKeys
from hausbote.xmpp.stanza import Child, Stanza, start_tag
from hausbote.xmpp.xml import Tree

HASHES: Final = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
"""By their names in SCRAM's mechanisms; others than those that can be logged in by are kept."""
_MECHANISM: Final = "SCRAM-"
_ITERATIONS: Final = re.compile(r"[0-9]{1,9}")
_MOST_ITERATIONS: Final = 10_000_000
_MOST_SALT: Final = 1_024  # bytes
_MOST_NAME: Final = 1_023  # characters
_MOST_GROUPS: Final = 50
_SUBSCRIPTIONS: Final = ("none", "to", "from", "both")
_AFFILIATIONS: Final = ("owner", "publisher", "publish-only", "member", "outcast")
_STATES: Final = ("subscribed", "pending")
_IDS: Final = ((ns.STANZA_ID, "stanza-id"), (ns.OLD_ARCHIVE, "archived"))
_FORWARDED: Final = f"{{{ns.FORWARD}}}forwarded"
_DELAY: Final = f"{{{ns.DELAY}}}delay"
_MESSAGE: Final = f"{{{ns.CLIENT}}}message"


class Unusable(Exception):
    """What is wrong with a part."""


class Kept(NamedTuple):
    """A message with its time in microseconds since 1970 (0 = not told), and the id that it had in
    its archive ("" = none)."""

    at: int
    id: str
    message: Stanza


def keys(element: Tree) -> tuple[str, ScramKeys]:
    """The name of a hash, and the keys that prove a password by it."""
    mechanism = element.get("mechanism", "")
    hash = mechanism.removeprefix(_MECHANISM)
    if hash not in HASHES or hash == mechanism:
        raise Unusable(f"keys for {mechanism[:50] or 'no mechanism'} are not known")
    size = hashlib.new(HASHES[hash]).digest_size
    salt, stored, server = [_decoded(element, n) for n in ("salt", "stored-key", "server-key")]
    if len(stored) != size:  # ejabberd writes base64 of what is base64 already
        with suppress(Unusable):
            salt, stored, server = [_base64(k.decode("latin-1")) for k in (salt, stored, server)]
    count = (element.findtext(f"{{{ns.PIE_SCRAM}}}iter-count") or "").strip()
    iterations = int(count) if _ITERATIONS.fullmatch(count) else 0
    if len(stored) != size or len(server) != size or not 0 < len(salt) <= _MOST_SALT:
        raise Unusable(f"these are no keys for {mechanism}")
    if not 0 < iterations <= _MOST_ITERATIONS:
        raise Unusable(f"the keys for {mechanism} have no iter-count that is a number")
    return hash, ScramKeys(salt, iterations, stored, server)


def old_keys(password: str) -> tuple[str, ScramKeys] | None:
    """Keys that stand in the place of a password, as ejabberd 23 and older wrote them:
    "scram:[HASH,]STORED-KEY,SERVER-KEY,SALT,ITERATIONS"; None for anything else."""
    kind, colon, rest = password.partition(":")
    fields = rest.split(",")
    if kind != "scram" or not colon or len(fields) not in (4, 5):
        return None
    hash = {"sha": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}.get(
        fields.pop(0) if len(fields) == 5 else "sha"
    )
    try:
        stored, server, salt = [base64.b64decode(one, validate=True) for one in fields[:3]]
    except (binascii.Error, ValueError):
        return None
    if hash is None or len(stored) != hashlib.new(HASHES[hash]).digest_size:
        return None
    if not _ITERATIONS.fullmatch(fields[3]) or not 0 < int(fields[3]) <= _MOST_ITERATIONS:
        return None
    return hash, ScramKeys(salt, int(fields[3]), stored, server)


def _decoded(element: Tree, name: str) -> bytes:
    return _base64("".join((element.findtext(f"{{{ns.PIE_SCRAM}}}{name}") or "").split()))


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unusable("a key is not base64") from None


def contact(element: Tree) -> RosterItem:
    """A roster item."""
    jid = address(element.get("jid", "")).to_bare()
    subscription = element.get("subscription", "none")
    groups = [one.text or "" for one in element.findall(f"{{{ns.ROSTER}}}group")]
    return RosterItem(
        jid.full,
        element.get("name", "")[:_MOST_NAME],
        subscription if subscription in _SUBSCRIPTIONS else "none",
        ask=element.get("ask") == "subscribe",
        approved=element.get("approved") in ("true", "1"),
        groups=tuple(dict.fromkeys([one[:_MOST_NAME] for one in groups if one][:_MOST_GROUPS])),
        listed=element.get(f"{{{ns.PIE_ACCOUNT}}}listed") != "false",
    )


def request(element: Tree, own: str) -> Stanza:
    """A subscription request that nobody has answered yet, from a bare JID."""
    sender = address(element.get("from", ""))
    return stanza_of(element).replace(from_=sender.bare, to=own)


def archived(result: Tree, own: JID) -> Kept:
    """A message of an archive, as a <result/> tells of it."""
    forwarded = result.find(_FORWARDED)
    element = None if forwarded is None else forwarded.find(_MESSAGE)
    delay = None if forwarded is None else forwarded.find(_DELAY)
    at = None if delay is None else moment(delay.get("stamp", ""))
    if element is None or at is None:
        raise Unusable("there is no message with a time")
    return Kept(at, result.get("id", ""), _addressed(stanza_of(element), own))


def offline(element: Tree, own: JID) -> Kept:
    """A message that waits for the account; the time is what the account's server says of it."""
    if element.tag.rpartition("}")[2] != "message":
        raise Unusable("this is no message")
    message = _addressed(stanza_of(element), own)
    if message.attrs["from"] == own.bare and element.get("from") is None:
        raise Unusable("a message is from nobody")
    at = 0
    for part in message.children:
        if part.ns == ns.DELAY and start_tag(part).get("from", own.domain) == own.domain:
            at = moment(start_tag(part).get("stamp", "")) or 0
            message = message.with_children(tuple(p for p in message.children if p is not part))
            break
    id = ""
    for part in message.children:
        if _is_own_id(part, own):
            id = start_tag(part).get("id", "")
    return Kept(at, id, without_id(message, own))


def without_id(message: Stanza, own: JID) -> Stanza:
    """Without the id that another server has given it in the name of the account's archive."""
    return message.with_children(tuple(p for p in message.children if not _is_own_id(p, own)))


def _is_own_id(part: Child, own: JID) -> bool:
    return (part.ns, part.name) in _IDS and start_tag(part).get("by") == own.bare


def _addressed(message: Stanza, own: JID) -> Stanza:
    """With addresses that can be read: servers leave out the account's own."""
    sender = address(message.attrs.get("from", own.bare))
    to = address(message.attrs.get("to", own.bare))
    return message.replace(from_=sender.full, to=to.full)


def preferences(element: Tree) -> Preferences:
    """What the account wants archived."""
    fallback = element.get("default", "")
    if fallback not in ("always", "never", "roster"):
        raise Unusable("the archive's default is always, never or roster")
    lists = []
    for name in ("always", "never"):
        texts = element.findall(f"{{{ns.MAM}}}{name}/{{{ns.MAM}}}jid")
        jids = [address((one.text or "").strip()).full for one in texts]
        lists.append(tuple(dict.fromkeys(jids)))
    return Preferences(fallback, *lists)


def blocked(element: Tree) -> tuple[list[str], bool]:
    """Whom a default privacy list (XEP-0016) blocks altogether, and whether that is all of it."""
    default = element.find(f"{{{ns.PRIVACY}}}default")
    name = None if default is None else default.get("name")
    jids: list[str] = []
    whole = True
    for one in element.findall(f"{{{ns.PRIVACY}}}list"):
        if one.get("name") != name:
            whole = False
            continue
        for item in sorted(one, key=_order):
            if item.get("action") == "deny" and item.get("type") == "jid" and _is_for_all(item):
                jids.append(address(item.get("value", "")).full)
            elif item.get("action") != "allow" or item.get("type") is not None:
                whole = False
    return list(dict.fromkeys(jids)), whole


def _order(item: Tree) -> int:
    order = item.get("order", "")
    return int(order) if order.isascii() and order.isdigit() and len(order) < 12 else 0


def _is_for_all(item: Tree) -> bool:
    """Whether it is about all stanzas: it names none, or each kind of them."""
    kinds = {one.tag.rpartition("}")[2] for one in item}
    return not kinds or kinds == {"message", "iq", "presence-in", "presence-out"}


def affiliations(element: Tree, node: str) -> Iterator[Affiliation]:
    for one in element.findall(f"{{{ns.PUBSUB_OWNER}}}affiliation"):
        if one.get("affiliation") in _AFFILIATIONS:
            yield Affiliation(node, address(one.get("jid", "")).bare, one.get("affiliation", ""))


def subscriptions(element: Tree, node: str) -> Iterator[Subscription]:
    """Those that count; Prosody writes the state into an attribute of another name."""
    for one in element.findall(f"{{{ns.PUBSUB_OWNER}}}subscription"):
        state = one.get("subscription") or one.get("subscribed", "")
        if state in _STATES:
            jid = address(one.get("jid", "")).full
            yield Subscription(node, jid, one.get("subid", "")[:_MOST_NAME], state)


def address(text: str) -> JID:
    """An address that is one."""
    try:
        return JID.parse(text)
    except InvalidJID as problem:
        raise Unusable(f"an address is none: {problem}") from None


def seconds(at: int) -> float:
    return at / MICROSECONDS
