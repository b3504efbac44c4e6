"""Stanzas that are well-formed and mean little: the words of our protocols, put together at random."""

from xml.sax.saxutils import escape, quoteattr

from hausbote.xmpp import ns

_RESERVED = (ns.XML, ns.STREAMS)
_NAMESPACES = sorted(
    {value for name, value in vars(ns).items() if name.isupper() and value not in _RESERVED}
)
_NAMES = [
    "item",
    "items",
    "publish",
    "retract",
    "create",
    "configure",
    "delete",
    "purge",
    "subscribe",
    "unsubscribe",
    "subscriptions",
    "subscription",
    "affiliations",
    "affiliation",
    "options",
    "default",
    "publish-options",
    "x",
    "field",
    "value",
    "set",
    "max",
    "after",
    "before",
    "index",
    "count",
    "query",
    "prefs",
    "always",
    "never",
    "jid",
    "flip-page",
    "block",
    "report",
    "text",
    "stanza-id",
    "storage",
    "conference",
    "nick",
    "password",
    "url",
    "PHOTO",
    "BINVAL",
    "TYPE",
    "metadata",
    "info",
    "data",
    "group",
    "body",
    "redirect",
    "sent",
    "received",
    "private",
    "forwarded",
    "result",
    "displayed",
    "delay",
    "c",
    "store",
    "no-store",
    "composing",
    "event",
    "error",
    "subject",
    "thread",
    "priority",
    "encrypted",
    "invite",
    "enable",
    "disable",
    "vCard",
    "list",
]
_ATTRIBUTES = [
    "node",
    "id",
    "jid",
    "type",
    "var",
    "subscription",
    "affiliation",
    "subid",
    "max_items",
    "notify",
    "default",
    "queryid",
    "ver",
    "name",
    "autojoin",
    "reason",
    "by",
    "uri",
    "label",
    "from",
    "stamp",
    "hash",
    "status",
    "to",
]
_VALUES = (
    "",
    " ",
    *["1", "0", "-1", "99999999999999999999", "true", "max", "h", "@", "a@b@c", "é", "😀"],
    *[
        "romeo@h",
        "juliet@h",
        "juliet@h/phone",
        "nobody@h",
        "pubsub.h",
        "room@rooms.h",
        "m1",
        "urn:n",
    ],
    *[
        "submit",
        "form",
        "cancel",
        "result",
        "remove",
        "owner",
        "none",
        "subscribed",
        "open",
        "whitelist",
        "roster",
        "ids",
        "with",
    ],
    *["FORM_TYPE", "pubsub#access_model", "pubsub#max_items", "2010-01-01T00:00:00Z", "sha-1"],
    f"{ns.PUBSUB}#node_config",
    f"{ns.PUBSUB}#publish-options",
    ns.MAM,
    ns.BOOKMARKS,
    ns.AVATAR_METADATA,
    "x" * 2_000,
)
_ADDRESSES = (
    *[
        "juliet@h",
        "juliet@h/phone",
        "juliet@h/none",
        "romeo@h",
        "nobody@h",
        "nobody@h/x",
        "h",
        "pubsub.h",
        "rooms.h",
    ],
    *["room@rooms.h", "room@rooms.h/nick", "bad@@x", "H"],
    "",
)
_TYPES = {
    "message": ("", "chat", "normal", "headline", "groupchat", "error", "strange"),
    "presence": [
        "",
        "",
        "unavailable",
        "subscribe",
        "subscribed",
        "unsubscribe",
        "unsubscribed",
        "probe",
        "error",
        "x",
    ],
}


def element(random, name, namespace, depth=3):
    """An element of that name with whatever inside."""
    inner = ""
    if depth:
        for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
            child = random.choice(_NAMESPACES) if random.random() < 0.4 else namespace
            inner += element(random, random.choice(_NAMES), child, depth - 1)
    if not inner and random.random() < 0.5:
        inner = escape(random.choice(_VALUES))
    return f"<{name}{_attributes(random, xmlns=namespace)}>{inner}</{name}>"


def request(random, type, namespace, name, id):
    """To whom it is the server that answers."""
    payload = element(random, name, namespace)
    to = random.choice([one for one in _ADDRESSES if one != "juliet@h/phone"])
    return f"<iq type='{type}' id='{id}'{f' to={quoteattr(to)}' if to else ''}>{payload}</iq>"


def stanza(random):
    """A message or a presence."""
    name = random.choice(("message", "message", "presence"))
    attributes = {"id": random.choice(("m1", "m2", ""))}
    attributes["type"] = random.choice(_TYPES[name])
    if random.random() < 0.8:
        attributes["to"] = random.choice(_ADDRESSES)
    written = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items() if v or k == "to")
    children = [
        element(random, random.choice(_NAMES), random.choice(("jabber:client", *_NAMESPACES)), 2)
        for _ in range(random.randint(0, 3))
    ]
    return f"<{name}{written}>{''.join(children)}</{name}>"


def _attributes(random, xmlns):
    chosen = {random.choice(_ATTRIBUTES) for _ in range(random.randint(0, 3))}
    values = {name: random.choice(_VALUES) for name in sorted(chosen)} | {"xmlns": xmlns}
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
