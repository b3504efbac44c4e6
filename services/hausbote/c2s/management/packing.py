"""Sessions as rows of the store, and made of them again.

What a room said to many of them is written once, and is one thing in memory afterwards, too.
"""

import json
import time
from functools import partial
from typing import Any

from hausbote.base.jid import JID
from hausbote.c2s.management.hibernation import NOWHERE, Hibernation
from hausbote.c2s.management.managed import Managed, Place, overflowed
from hausbote.core.acks import Acks
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.features import push
from hausbote.storage.sessions import StoredSession, StoredShared
from hausbote.xmpp.acks import Sent, missing
from hausbote.xmpp.stanza import Stanza


class Packer:
    """Makes rows; `shared` is what those made so far have in common and has not been fetched."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._numbers: dict[int, int] = {}  # of what is shared, by its identity
        self.shared: list[StoredShared] = []

    def pack(self, managed: Managed) -> StoredSession:
        """The row of a session that hibernates."""
        host, session = self._host, managed.session
        acks = session.acks
        assert acks is not None
        until = host.clock() + managed.until - time.monotonic()
        state = {
            "resource": session.jid.resource,
            "seconds": managed.seconds,
            "acknowledged": acks.unacked.acknowledged,
            "queue": [self._pack_sent(sent) for sent in acks.unacked.queue],
            "presence": None if session.presence is None else session.presence.pack().decode(),
            "priority": session.priority,
            "ready": session.ready_since,
            "features": {
                name: packed
                for name, (pack, _) in host.registry.session_states.items()
                if (packed := pack(session))
            },
        }
        local, handled = session.account.local, acks.ledger.handled
        return StoredSession(managed.id, local, until, handled, json.dumps(state).encode())

    def _pack_sent(self, sent: Sent) -> list[Any] | int:
        """The number of what is shared; or bytes, time and stanza, of which the bytes are left out
        if they are the stanza's, and both if it is missing."""
        if sent.rest:
            return self._number(sent)
        owed = sent.stanza
        data = None if owed is not None and owed.wire() == sent.data else sent.data.decode()
        return [data, sent.at, None if owed is None else owed.pack().decode()]

    def _number(self, sent: Sent) -> int:
        number = self._numbers.get(id(sent))
        if number is None:
            number = self._numbers[id(sent)] = len(self._numbers) + 1
            owed = b"" if sent.stanza is None else sent.stanza.pack()
            self.shared.append(StoredShared(number, sent.data, sent.rest, sent.at, owed))
        return number

    def fetch_shared(self) -> list[StoredShared]:
        """What is to be written with the rows made since the last time."""
        shared, self.shared = self.shared, []
        return shared


class Unpacker:
    """Makes sessions of rows; nobody knows these yet."""

    def __init__(self, host: Host, shared: list[StoredShared]) -> None:
        self._host = host
        self._shared = {
            one.number: Sent(
                one.before, one.at, Stanza.unpack(one.stanza) if one.stanza else None, one.after
            )
            for one in shared
        }

    def unpack(self, row: StoredSession) -> Managed:
        """What manages the session of a row, which hibernates."""
        host, state = self._host, json.loads(row.state)
        jid = JID(row.local, host.domain, state["resource"])
        session = Session(jid, host.directory.account(row.local), NOWHERE)
        session.transport = Hibernation(host, session)
        session.acks = acks = Acks(
            host.settings.limits.unacknowledged_bytes, partial(overflowed, host, session)
        )
        acks.ledger.handled = row.handled
        acks.unacked.restore(state["acknowledged"], [self._unpack_sent(s) for s in state["queue"]])
        if state["presence"] is not None:
            session.presence = Stanza.unpack(state["presence"].encode())
        session.priority, session.ready_since = state["priority"], state["ready"]
        session.asleep = partial(push.wake, host, session)
        for name, (_, unpack) in host.registry.session_states.items():
            if name in state["features"]:
                unpack(host, session, state["features"][name])
        managed = Managed(row.id, state["seconds"], session, None)
        managed.until = time.monotonic() + min(row.until - host.clock(), managed.seconds)
        session.state(Place).managed = managed
        return managed

    def _unpack_sent(self, packed: list[Any] | int) -> Sent:
        if isinstance(packed, int):
            return self._shared[packed]
        data, at, owed = packed
        stanza = None if owed is None else Stanza.unpack(owed.encode())
        if data is None and stanza is not None:
            data = stanza.wire().decode()
        return Sent(data.encode(), at, stanza) if data else missing(at)
