"""Sparing a client whose user does not look at it (XEP-0352).

While it is inactive, presence, chat states and some events wait, each replaced by the next of its
kind.  Everything else is important: all that waits goes out before it, in the order in which it
came, and says when that was (XEP-0203).
"""

import re
from typing import Final, NamedTuple

from hausbote.base.clock import timestamp
from hausbote.core.feature import Feature, Moment, Phase
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.xml import Markup, el

feature = Feature("client state", xeps={"0352": "1.0.0"})

_BESIDE_A_STATE: Final = frozenset((ns.CHAT_STATES, ns.HINTS, ns.STANZA_ID))
_CAN_WAIT: Final = frozenset(
    (
        ns.AVATAR_METADATA,
        "http://jabber.org/protocol/nick",
        "http://jabber.org/protocol/mood",
        "http://jabber.org/protocol/activity",
        "http://jabber.org/protocol/tune",
        "http://jabber.org/protocol/geoloc",
    )
)
"""Nodes with one item each, which the next one replaces."""
_PUBLISHED: Final = re.compile(r"<event xmlns='[^']*'><items node='([^']*)'><item[ />]")

_Key = tuple[str, str | None, str]


class _Waiting(NamedTuple):
    """What waits: a stanza's name, whether it says itself when it was sent, its bytes, its time."""

    name: str
    dated: bool
    data: bytes
    at: float


class Inactive:
    """Keeps back what a client need not see now; gone when it is active again."""

    __slots__ = ("_host", "_session", "_size", "_waiting")

    def __init__(self, host: Host, session: Session) -> None:
        self._host = host
        self._session = session
        self._waiting: dict[_Key, _Waiting] = {}
        self._size = 0

    def keeps(self, stanza: Stanza | None, data: bytes) -> bool:
        """Whether this waits; if not, all that waited has been sent."""
        key = None if stanza is None else self._key(stanza)
        if stanza is None or key is None:
            if stanza is not None and stanza.name == "message":
                self._drop(self._state_of(stanza))  # what somebody says tells that they do not type
            self.flush()
            return False
        self._drop(key)
        dated = stanza.child(ns.DELAY, "delay") is not None
        self._waiting[key] = _Waiting(stanza.name, dated, data, self._host.clock())
        self._size += len(data)
        limits = self._host.settings.limits
        if _exceeds(len(self._waiting), limits.held_stanzas) or _exceeds(
            self._size, limits.held_bytes
        ):
            self.flush()
        return True

    def flush(self) -> None:
        """Send all that waits."""
        waiting, self._waiting, self._size = self._waiting, {}, 0
        for one in waiting.values():
            self._session.put(_with_time(one, self._host.domain))

    def _drop(self, key: _Key) -> None:
        old = self._waiting.pop(key, None)
        if old is not None:
            self._size -= len(old.data)

    def _key(self, stanza: Stanza) -> _Key | None:
        """The same for stanzas that replace each other; None for what is important."""
        settings = self._host.settings.client_state
        if stanza.name == "presence":
            can_wait = settings.presence == "hold" and _is_about_others(stanza)
            return ("presence", stanza.sender, "") if can_wait else None
        if stanza.name != "message" or stanza.type == "error":
            return None
        if settings.chat_states == "hold" and _only_says_state(stanza):
            return self._state_of(stanza)
        node = _published(stanza) if settings.events == "hold" else None
        return None if node is None else ("event", stanza.sender, node)

    def _state_of(self, message: Stanza) -> _Key:
        """By whom; to whom, too, if it is a copy of what the account itself said."""
        sender = message.sender or ""
        own = sender.partition("/")[0] == self._session.jid.bare
        return ("state", sender, (message.to if own else message.type) or "")


def _exceeds(value: int, limit: int) -> bool:
    return 0 < limit < value


def _is_about_others(presence: Stanza) -> bool:
    """Not requests, errors, nor what becomes of the client itself in a room (XEP-0045)."""
    if presence.type not in (None, "unavailable"):
        return False
    room = presence.child(ns.MUC_USER, "x")
    return room is None or ("code='110'" not in room.xml and "<destroy" not in room.xml)


def _only_says_state(message: Stanza) -> bool:
    states = False
    for part in message.children:
        states = states or part.ns == ns.CHAT_STATES
        if part.ns not in _BESIDE_A_STATE and (part.ns, part.name) != (ns.CLIENT, "thread"):
            return False
    return states


def _published(message: Stanza) -> str | None:
    """The node of an event that can wait: it tells of an item that the next one replaces."""
    if not message.children or any(
        part.ns not in (ns.PUBSUB_EVENT, ns.DELAY) for part in message.children
    ):
        return None
    match = _PUBLISHED.match(message.children[0].xml)
    return match[1] if match is not None and match[1] in _CAN_WAIT else None


def _with_time(one: _Waiting, domain: str) -> bytes:
    """The stanza with the time when it came, if it does not have one."""
    if one.dated:
        return one.data
    delay = el("delay", xmlns=ns.DELAY, from_=domain, stamp=timestamp(one.at)).encode()
    end = f"</{one.name}>".encode()
    if one.data.endswith(end):
        return one.data[: -len(end)] + delay + end
    return one.data.removesuffix(b"/>") + b">" + delay + end


# -- what the client says ----------------------------------------------------------------------


@feature.stream_feature(Phase.AFTER_LOGIN)
def offer(_host: Host) -> Markup:
    return el("csi", xmlns=ns.CSI)


@feature.nonza(ns.CSI, "inactive")
def inactive(host: Host, session: Session, _element: Stanza) -> None:
    _look_away(host, session)


@feature.nonza(ns.CSI, "active")
def active(host: Host, session: Session, _element: Stanza) -> None:
    look(host, session)


@feature.bind_inline(ns.CSI, "inactive")
def inactive_at_login(host: Host, session: Session, _element: Child) -> None:
    _look_away(host, session)


@feature.bind_inline(ns.CSI, "active")
def active_at_login(host: Host, session: Session, _element: Child) -> None:
    look(host, session)


@feature.on(Moment.RESUMED)
def look(_host: Host, session: Session) -> None:
    """A stream that begins, or goes on, is active (§5.2)."""
    keeper, session.keeper = session.keeper, None
    if isinstance(keeper, Inactive):
        keeper.flush()


@feature.on(Moment.GONE)
def forget(_host: Host, session: Session) -> None:
    """What waited told of how things are, and they will not be so any more."""
    session.keeper = None


def _look_away(host: Host, session: Session) -> None:
    if session.keeper is None:
        session.keeper = Inactive(host, session)
