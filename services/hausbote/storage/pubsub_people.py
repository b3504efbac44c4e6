"""Who is what to a node: affiliations and subscriptions (XEP-0060 §4.1, §4.2)."""

import sqlite3
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.base.domains import registrable_domain
from hausbote.base.jid import JID
from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer

_GRANT: Final = (
    "INSERT OR REPLACE INTO pubsub_affiliation (node_id, jid, affiliation, account_id)"
    " SELECT ?, ?, ?, (SELECT id FROM account WHERE local = ?)"
    " WHERE EXISTS (SELECT 1 FROM pubsub_node WHERE id = ?)"
)
_OTHERS: Final = "SELECT count(*) FROM pubsub_subscription WHERE node_id = ? AND jid != ?"
_OF_SERVER: Final = f"{_OTHERS} AND substr(bare, -?) IN (?, ?)"
_SUBSCRIBE: Final = (
    "INSERT OR REPLACE INTO pubsub_subscription (node_id, jid, bare, subid, state, account_id)"
    " SELECT ?, ?, ?, ?, ?, (SELECT id FROM account WHERE local = ?)"
    " WHERE EXISTS (SELECT 1 FROM pubsub_node WHERE id = ?)"
)
_SUBSCRIPTIONS: Final = (
    "SELECT name, jid, subid, state FROM pubsub_subscription"
    " JOIN pubsub_node ON pubsub_node.id = node_id"
)


class Affiliation(NamedTuple):
    node: str
    jid: str
    affiliation: str


class Subscription(NamedTuple):
    node: str
    jid: str
    subid: str
    state: str


class People:
    """Changes return tickets; reads see what was waited for."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    # -- affiliations --------------------------------------------------------------------------

    def affiliation(self, node: int, jid: str) -> str:
        """Of a bare JID; "none" without one."""
        sql = "SELECT affiliation FROM pubsub_affiliation WHERE node_id = ? AND jid = ?"
        row = self._reader.execute_sql(sql, (node, jid)).fetchone()
        return "none" if row is None else str(row[0])

    def affiliations(self, node: int) -> dict[str, str]:
        """All but "none", by bare JID."""
        sql = "SELECT jid, affiliation FROM pubsub_affiliation WHERE node_id = ? ORDER BY jid"
        return dict(self._reader.execute_sql(sql, (node,)).fetchall())

    def affiliations_of(self, service: str, jid: str) -> list[Affiliation]:
        """Those of a bare JID with nodes of a service."""
        sql = (
            "SELECT name, jid, affiliation FROM pubsub_affiliation"
            " JOIN pubsub_node ON pubsub_node.id = node_id WHERE service = ? AND jid = ?"
            " ORDER BY name"
        )
        return [Affiliation(*row) for row in self._reader.execute_sql(sql, (service, jid))]

    def affiliate(self, node: int, changes: dict[str, tuple[str, str]]) -> Ticket[None]:
        """Set affiliations: bare JID to (affiliation, local part or "" for people elsewhere)."""

        def affiliate(connection: sqlite3.Connection) -> None:
            for jid, (affiliation, local) in changes.items():
                connection.execute(
                    "DELETE FROM pubsub_affiliation WHERE node_id = ? AND jid = ?", (node, jid)
                )
                if affiliation != "none":
                    grant(connection, node, jid, affiliation, local)

        return self._writer.submit(affiliate)

    # -- subscriptions -------------------------------------------------------------------------

    def subscription(self, node: int, jid: str) -> Subscription | None:
        """Of exactly that JID."""
        sql = f"{_SUBSCRIPTIONS} WHERE node_id = ? AND jid = ?"
        row = self._reader.execute_sql(sql, (node, jid)).fetchone()
        return None if row is None else Subscription(*row)

    def subscriptions(self, node: int) -> list[Subscription]:
        sql = f"{_SUBSCRIPTIONS} WHERE node_id = ? ORDER BY jid"
        return [Subscription(*row) for row in self._reader.execute_sql(sql, (node,))]

    def subscriptions_of(self, service: str, bare: str) -> list[Subscription]:
        """Those of a bare JID with nodes of a service, with whatever resource."""
        sql = f"{_SUBSCRIPTIONS} WHERE service = ? AND bare = ? ORDER BY name, jid"
        return [Subscription(*row) for row in self._reader.execute_sql(sql, (service, bare))]

    def is_subscribed(self, node: int, bare: str) -> bool:
        """Whether a bare JID has a subscription that was granted."""
        sql = (
            "SELECT 1 FROM pubsub_subscription"
            " WHERE node_id = ? AND bare = ? AND state = 'subscribed'"
        )
        return self._reader.execute_sql(sql, (node, bare)).fetchone() is not None

    def subscribe(
        self,
        node: int,
        jid: str,
        bare: str,
        subid: str,
        state: str,
        local: str,
        limit: int,
        of_server: int = 0,
    ) -> Ticket[bool]:
        """Put a subscription in the place of the JID's former one; False if the node has `limit`
        others, or `of_server` of them are of the same other server (0 = no limit).  `local` is ""
        for people elsewhere."""

        def subscribe(connection: sqlite3.Connection) -> bool:
            others = connection.execute(_OTHERS, (node, jid)).fetchone()[0]
            if 0 < limit <= others:
                return False
            if 0 < of_server <= others:
                domain = registrable_domain(JID.parse(bare).domain)
                ends = (len(domain) + 1, f"@{domain}", f".{domain}")
                if connection.execute(_OF_SERVER, (node, jid, *ends)).fetchone()[0] >= of_server:
                    return False
            connection.execute(_SUBSCRIBE, (node, jid, bare, subid, state, local, node))
            return True

        return self._writer.submit(subscribe)

    def unsubscribe(self, node: int, jid: str) -> Ticket[None]:
        sql = "DELETE FROM pubsub_subscription WHERE node_id = ? AND jid = ?"
        return self._writer.insert(sql, (node, jid))


def grant(
    connection: sqlite3.Connection, node: int, jid: str, affiliation: str, local: str
) -> None:
    """In the writer's thread: an affiliation of a bare JID; `local` is "" for people elsewhere."""
    connection.execute(_GRANT, (node, jid, affiliation, local, node))
