"""Rows of ejabberd's database, as elements of XEP-0227.  A row is its values by their names."""

from typing import Any, Final

from hausbote.base.clock import exact_timestamp
from hausbote.base.moment_ids import MICROSECONDS
from hausbote.moving.erlang_terms import Atom
from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, el, escape_attribute, escape_text

Row = dict[str, Any]

_HASHES: Final = {"sha": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}
_KEY_FIELDS: Final = 6  # of a record with the name of its hash
_MEGA: Final = 1_000_000


def text(value: Any) -> str:
    """A name or a text, whatever it is made of."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def microseconds(value: Any) -> int:
    """A moment since 1970; 0 for what is none."""
    if isinstance(value, tuple) and len(value) == 3 and all(isinstance(v, int) for v in value):
        return int((value[0] * _MEGA + value[1]) * MICROSECONDS + value[2])
    return 0


def element(term: Any, xmlns: str = "") -> Markup:
    """XML as ejabberd keeps it; in `xmlns` if it does not say otherwise."""
    _, name, attributes, children = term
    written = {text(key): text(value) for key, value in attributes}
    if xmlns:
        written.setdefault("xmlns", xmlns)
    start = "".join([f" {key}='{escape_attribute(value)}'" for key, value in written.items()])
    inner = [
        escape_text(text(child[1])) if child[0] == "xmlcdata" else element(child)
        for child in children
    ]
    return Markup(f"<{text(name)}{start}>{''.join(inner)}</{text(name)}>")


def address(term: Any) -> str:
    """A JID, of three parts or as a record."""
    local, domain, resource = (text(part) for part in (term[1:4] if len(term) > 3 else term))
    bare = f"{local}@{domain}" if local else domain
    return f"{bare}/{resource}" if resource else bare


def keys(row: Row) -> Markup | None:
    """Keys of a password; nothing for a password itself."""
    secret = row["password"]
    if not isinstance(secret, tuple):
        return None
    _, stored, server, salt, *rest = secret
    hash = text(rest[0]) if len(secret) == _KEY_FIELDS else "sha"
    return el(
        "scram-credentials",
        el("iter-count", str(rest[-1])),
        el("salt", text(salt)),
        el("server-key", text(server)),
        el("stored-key", text(stored)),
        xmlns=ns.PIE_SCRAM,
        mechanism=f"SCRAM-{_HASHES.get(hash, hash)}",
    )


def vcard(row: Row) -> Markup:
    return element(row["vcard"], ns.VCARD)


def private(row: Row) -> Markup:
    return element(row["xml"])


def offline(row: Row) -> Markup:
    """With the time when it came, as the server says it to its client."""
    _, name, attributes, children = row["packet"]
    sender = (b"from", address(row["from"]).encode())
    known = [one for one in attributes if one[0] not in (b"from", b"to")]
    stamp = exact_timestamp(microseconds(row["timestamp"])).encode()
    said = [(b"xmlns", ns.DELAY.encode()), (b"stamp", stamp)]
    delay: Any = (Atom("xmlel"), b"delay", said, [])
    return element((Atom("xmlel"), name, [*known, sender], [delay, *children]), ns.CLIENT)


def contact(row: Row) -> Markup | None:
    """A roster item; one that is there for its request alone is none."""
    ask, subscription = row["ask"], text(row["subscription"])
    if ask == "in" and subscription == "none":
        return None
    return el(
        "item",
        *[el("group", text(group)) for group in row["groups"]],
        jid=address(row["jid"]),
        name=text(row["name"]) or None,
        subscription=subscription,
        ask="subscribe" if ask in ("out", "both", "subscribe") else None,
    )


def request(row: Row) -> Markup | None:
    """Somebody's question that is not answered yet."""
    if row["ask"] not in ("in", "both"):
        return None
    said = text(row["askmessage"]) if isinstance(row["askmessage"], bytes) else ""
    status = el("status", said) if said else None
    sender = address(row["jid"])
    return el("presence", status, xmlns=ns.CLIENT, type="subscribe", from_=sender)


def preferences(row: Row) -> Markup:
    lists = [
        el(name, *[el("jid", address(one)) for one in row[name]]) for name in ("always", "never")
    ]
    return el("prefs", *lists, xmlns=ns.MAM, default=text(row["default"]))


def privacy(row: Row) -> Markup:
    lists = [
        el("list", *[_privacy_item(one) for one in items], name=text(name))
        for name, items in row["lists"]
    ]
    default = row["default"]
    chosen = el("default", name=text(default)) if isinstance(default, bytes) else None
    return el("query", chosen, *lists, xmlns=ns.PRIVACY)


def _privacy_item(item: Any) -> Markup:
    _, kind, value, action, order, everything, *some = item
    names = ("iq", "message", "presence-in", "presence-out")
    kinds = [el(name) for name, on in zip(names, some, strict=False) if on == "true"]
    return el(
        "item",
        *(kinds if everything != "true" else ()),
        type=None if kind == "none" else text(kind),
        value=None if kind == "none" else address(value) if kind == "jid" else text(value),
        action=text(action),
        order=str(order),
    )


def configuration(row: Row) -> Markup:
    fields = [
        el("field", *[el("value", one) for one in _values(value)], var=f"pubsub#{text(name)}")
        for name, value in row["options"]
    ]
    kind = el("field", el("value", ns.PUBSUB_CONFIG), var="FORM_TYPE", type="hidden")
    form = el("x", kind, *fields, xmlns=ns.DATA_FORMS, type="submit")
    return el("configure", form, node=text(row["nodeid"][1]))


def _values(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text(one) for one in value]
    return [{"true": "1", "false": "0"}.get(text(value), text(value))]


def affiliation(node: str, row: Row) -> Markup | None:
    if row["affiliation"] == "none":
        return None
    jid, what = address(row["stateid"][0]), text(row["affiliation"])
    return el("affiliations", el("affiliation", jid=jid, affiliation=what), node=node)


def subscriptions(node: str, row: Row) -> Markup | None:
    jid = address(row["stateid"][0])
    found = [
        el("subscription", jid=jid, subid=text(id), subscription=text(state))
        for state, id in row["subscriptions"]
    ]
    return el("subscriptions", *found, node=node) if found else None


def item(row: Row) -> Markup:
    payload = [element(one) for one in row["payload"] if one[0] == "xmlel"]
    return el("item", *payload[:1], id=text(row["itemid"][0]))
