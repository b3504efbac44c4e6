"""How often people may do what everybody in a room has to bear."""

from typing import Final

from hausbote.base.domains import registrable_domain, server_of
from hausbote.base.jid import JID
from hausbote.base.settings import Settings
from hausbote.core.throttle import Throttle
from hausbote.xmpp.errors import ResourceConstraint

_CROWD: Final = 10  # times as many rooms are entered by all people of one other server
_REQUESTS: Final = 20  # for voice and membership, and refusals, of one person in an hour


class Pace:
    """Counts per person: further clients, nicks and visits do not make anybody more than one."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self._domain = settings.domain
        self._joins = Throttle(limits.room_joins_per_minute, 60.0, party=server_of)
        self._joins_of_servers = Throttle(limits.room_joins_per_minute * _CROWD, 60.0)
        self._changes = Throttle(
            limits.room_changes_per_minute, 60.0, party=lambda key: server_of(key[1])
        )
        self._requests = Throttle(_REQUESTS, 3_600.0, party=server_of)

    def enter(self, who: JID) -> None:
        """Somebody enters a room; another server may have as many names as it likes."""
        counted = [(self._joins, who.bare)]
        if who.domain != self._domain:
            counted.append((self._joins_of_servers, registrable_domain(who.domain)))
        if any(throttle.exceeded(key) for throttle, key in counted):
            raise ResourceConstraint("too many rooms were entered within a minute")
        for throttle, key in counted:
            throttle.note(key)

    def change(self, room: str, who: JID) -> None:
        """Somebody sends presence to a room: the others are shown it, or they all the others."""
        key = (room, who.bare)
        if self._changes.exceeded(key):
            raise ResourceConstraint("too much presence was sent to this room within a minute")
        self._changes.note(key)

    def ask(self, who: JID) -> None:
        """Nobody fills the screens of moderators and admins."""
        if self._requests.exceeded(who.bare):
            raise ResourceConstraint("too many requests within an hour")
        self._requests.note(who.bare)
