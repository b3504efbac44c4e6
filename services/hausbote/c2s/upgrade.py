"""Keys for a better hash, made by a client that knows the password (XEP-0480).

Only who has just proven the password may do that: a token is no proof of it.
"""

import secrets
from typing import TYPE_CHECKING, Final

from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.sasl import ITERATIONS, SALT_BYTES, SaslError, decode, encode, keys_of_salted
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.unfold import text_of
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.sasl2 import Attempt

feature = Feature("upgrade", xeps={"0480": "0.2.0"})

TASK: Final = "UPGR-SCRAM-SHA-256"
_HASH: Final = "SHA-256"
_SALTED_BYTES: Final = 32


class Upgrade:
    """How far the task is: `salt` is empty until the client has begun."""

    __slots__ = ("salt",)

    def __init__(self) -> None:
        self.salt = b""


def upgrade_feature() -> Markup:
    """The same for everybody: what an account lacks is nobody's business."""
    return el("upgrade", TASK, xmlns=ns.SASL_UPGRADE)


def is_due(host: Host, local: str, attempt: "Attempt") -> bool:
    """Whether the client, which has just proven the password, asked for it and lacks the keys."""
    return TASK in attempt.upgrades and host.store.accounts.keys(local, _HASH) is None


def demand(data: bytes) -> Markup:
    """<continue/> with what the mechanism had to say last."""
    said = el("additional-data", encode(data))
    return el("continue", said, el("tasks", el("task", TASK)), xmlns=ns.SASL2)


def begin(upgrade: Upgrade, element: Stanza) -> Markup:
    """<next/>: the answer is the salt."""
    if element.attrs.get("task") != TASK or upgrade.salt:
        raise SaslError("malformed-request", "this task was not asked for")
    upgrade.salt = secrets.token_bytes(SALT_BYTES)
    salt = el("salt", encode(upgrade.salt), xmlns=ns.SCRAM_UPGRADE, iterations=str(ITERATIONS))
    return el("task-data", salt, xmlns=ns.SASL2)


def finish(host: Host, local: str, upgrade: Upgrade, element: Stanza) -> None:
    """<task-data/> with the SaltedPassword; its keys are on disk afterwards."""
    found = element.child(ns.SCRAM_UPGRADE, "hash")
    if found is None or not upgrade.salt:
        raise SaslError("malformed-request")
    salted = decode(text_of(found))
    if len(salted) != _SALTED_BYTES:
        raise SaslError("malformed-request", "this is no SaltedPassword of that hash")
    host.store.accounts.add_keys(
        local, _HASH, keys_of_salted(salted, _HASH, upgrade.salt, ITERATIONS)
    )
