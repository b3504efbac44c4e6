"""Nodes with their items (XEP-0060); `pubsub_people` has who is what to them.

A node belongs to a service: that of an account (named by its local part, XEP-0163), or the box's
own (named "").  What a change must look at before it writes is looked at in the writer, so that two
publishers at once cannot get past a limit.
"""

import json
import sqlite3
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from peewee import SqliteDatabase

from hausbote.storage.pubsub_people import People, grant
from hausbote.storage.ticket import Ticket
from hausbote.storage.writer import Writer
from hausbote.xmpp.soundness import leaves

Config = dict[str, list[str]]
"""Values by field, only what differs from the service's defaults."""

_NODE: Final = "pubsub_node.id, service, name, local, pubsub_node.created, config"
_NODES: Final = f"SELECT {_NODE} FROM pubsub_node JOIN account ON account.id = account_id"
_ITEM: Final = "item, payload, publisher, at"
_EXPIRING: Final = (
    "SELECT id, json_extract(config, '$.item_expire[0]') AS seconds FROM pubsub_node"
    " WHERE seconds IS NOT NULL AND seconds != 'max'"
)
_LAST: Final = (
    " JOIN pubsub_item ON number ="
    " (SELECT max(number) FROM pubsub_item WHERE node_id = pubsub_node.id)"
)
_LAST_SIZES: Final = (
    "SELECT pubsub_node.id, pubsub_item.size FROM json_each(?) AS wanted_service"
    " JOIN json_each(?) AS wanted_name"
    f" JOIN pubsub_node ON service = wanted_service.value AND name = wanted_name.value{_LAST}"
)
_LAST_IN: Final = (
    f"SELECT {_NODE}, {_ITEM} FROM json_each(?) AS wanted"
    " JOIN pubsub_node ON pubsub_node.id = wanted.value"
    f" JOIN account ON account.id = account_id AND leaves = 0{_LAST}"
)


class Outcome(Enum):
    """What came of a change."""

    DONE = auto()
    EXISTS = auto()  # a node of that name is there already
    MISSING = auto()  # there is no such node
    NODES_FULL = auto()  # the account has as many nodes as it may
    BYTES_FULL = auto()  # the account's items are as large as they may be, all together
    ITEMS_FULL = auto()  # the node has as many items as it may, and wants no old ones removed


class Node(NamedTuple):
    """`creator` is the local part of the account that made it, `created` in seconds since 1970."""

    id: int
    service: str
    name: str
    creator: str
    created: float
    config: Config


class NewNode(NamedTuple):
    """A node to be made; `owner` is a bare JID, `creator` that account's local part."""

    service: str
    name: str
    creator: str
    owner: str
    created: float
    config: Config
    max_nodes: int = 0  # of the creator; 0 = no limit


class Item(NamedTuple):
    """`payload` is XML, or "" without one; `publisher` a bare JID; `at` in seconds since 1970."""

    id: str
    payload: str
    publisher: str
    at: float


class NewItem(NamedTuple):
    """An item to be published."""

    id: str
    payload: str


class Published(NamedTuple):
    """What `publish` did: the ids of items that had to go for the new ones are in `removed`."""

    outcome: Outcome
    removed: tuple[str, ...] = ()


class Limits(NamedTuple):
    """What a node and its account may hold; 0 = no limit.  A node that is full loses its oldest
    items, or takes no more if `reject`."""

    items: int = 0
    size: int = 0
    reject: bool = False


class Pubsub:
    """Everything about nodes.  Changes return tickets; reads see what was waited for."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self.people = People(reader, writer)

    # -- nodes ---------------------------------------------------------------------------------

    def node(self, service: str, name: str) -> Node | None:
        sql = f"{_NODES} WHERE service = ? AND name = ?"
        row = self._reader.execute_sql(sql, (service, name)).fetchone()
        return None if row is None else _node(row)

    def nodes(self, service: str) -> list[Node]:
        """By name."""
        sql = f"{_NODES} WHERE service = ? ORDER BY name"
        return [_node(row) for row in self._reader.execute_sql(sql, (service,))]

    def create(self, node: NewNode) -> Ticket[Outcome]:
        """Make a node: DONE, EXISTS, NODES_FULL, or MISSING without such an account."""
        return self._writer.submit(lambda c: _create(c, node))

    def configure(self, node: int, config: Config, max_items: int) -> Ticket[None]:
        """Replace the configuration; only the newest `max_items` stay, or all for -1."""

        def configure(connection: sqlite3.Connection) -> None:
            text = json.dumps(config, ensure_ascii=False)
            connection.execute("UPDATE pubsub_node SET config = ? WHERE id = ?", (text, node))
            _trim(connection, node, max_items)

        return self._writer.submit(configure)

    def delete(self, node: int) -> Ticket[None]:
        return self._writer.insert("DELETE FROM pubsub_node WHERE id = ?", (node,))

    # -- items ---------------------------------------------------------------------------------

    def publish(
        self,
        node: int | NewNode,
        items: Sequence[NewItem],
        publisher: str,
        at: float,
        limits: Limits,
    ) -> Ticket[Published]:
        """Add or replace items of a node, which is made first if it is a NewNode.

        EXISTS if it was made meanwhile, and is configured otherwise.
        """
        return self._writer.submit(lambda c: _publish(c, node, items, publisher, at, limits))

    def items(self, node: int, ids: Sequence[str]) -> list[Item]:
        """Those of the named items that exist, in the order of the names, and each once."""
        sql = f"SELECT {_ITEM} FROM pubsub_item WHERE node_id = ? AND item = ?"
        rows = [self._reader.execute_sql(sql, (node, id)).fetchone() for id in dict.fromkeys(ids)]
        return _sound([Item(*row) for row in rows if row is not None])

    def newest(self, node: int, count: int) -> list[Item]:
        """The newest items, oldest of them first; all of them for -1."""
        sql = f"SELECT {_ITEM} FROM pubsub_item WHERE node_id = ? ORDER BY number DESC LIMIT ?"
        rows = self._reader.execute_sql(sql, (node, count)).fetchall()
        return _sound([Item(*row) for row in reversed(rows)])

    def ids(self, node: int) -> list[str]:
        """The ids of all items, oldest first."""
        sql = "SELECT item FROM pubsub_item WHERE node_id = ? ORDER BY number"
        return [id for (id,) in self._reader.execute_sql(sql, (node,))]

    def last_sizes(self, services: Sequence[str], names: Sequence[str]) -> list[tuple[int, int]]:
        """Nodes that have one of these services and names, and an item: the id of each, and the
        bytes of its newest item."""
        wanted = (json.dumps(list(services)), json.dumps(list(names)))
        rows: list[tuple[int, int]] = self._reader.execute_sql(_LAST_SIZES, wanted).fetchall()
        return rows

    def last_in(self, nodes: Sequence[int]) -> list[tuple[Node, Item]]:
        """The newest item of each of these nodes that exists and has one, and whose owner stays."""
        rows = self._reader.execute_sql(_LAST_IN, (json.dumps(list(nodes)),)).fetchall()
        return [(_node(row[:6]), item) for row in rows for item in _sound([Item(*row[6:])])]

    def retract(self, node: int, ids: Sequence[str]) -> Ticket[bool]:
        """Delete items: all of them, or none and False if one does not exist."""

        def retract(connection: sqlite3.Connection) -> bool:
            wanted = json.dumps(list(dict.fromkeys(ids)))
            within = "node_id = ? AND item IN (SELECT value FROM json_each(?))"
            sql = f"SELECT count(*) FROM pubsub_item WHERE {within}"
            found: int = connection.execute(sql, (node, wanted)).fetchone()[0]
            if found < len(set(ids)):
                return False
            connection.execute(f"DELETE FROM pubsub_item WHERE {within}", (node, wanted))
            _measure(connection, node)
            return True

        return self._writer.submit(retract)

    def expire(self, node: int, before: float) -> Ticket[None]:
        """Delete items of a node that were published before that time."""
        return self._writer.submit(lambda c: _expire(c, node, before))

    def expire_all(self, now: float) -> None:
        """Delete items of all nodes that have been there for as long as they are to be kept."""
        for node, seconds in self._reader.execute_sql(_EXPIRING).fetchall():
            self.expire(node, now - float(seconds)).wait()

    def purge(self, node: int) -> Ticket[tuple[str, ...]]:
        """Delete all items; returns their ids."""
        return self._writer.submit(lambda c: _trim(c, node, 0))


def _sound(items: list[Item]) -> list[Item]:
    """Those that can still be sent."""
    return [item for item in items if not item.payload or leaves(item.payload)]


def _node(row: tuple[int, str, str, str, float, str]) -> Node:
    return Node(*row[:5], json.loads(row[5]))


def _create(connection: sqlite3.Connection, node: NewNode) -> Outcome:
    if _found(connection, node.service, node.name):
        return Outcome.EXISTS
    made = connection.execute(
        "SELECT count(*) FROM pubsub_node JOIN account ON account.id = account_id WHERE local = ?",
        (node.creator,),
    ).fetchone()[0]
    if 0 < node.max_nodes <= made:
        return Outcome.NODES_FULL
    cursor = connection.execute(
        "INSERT INTO pubsub_node (service, name, account_id, created, config, size)"
        " SELECT ?, ?, id, ?, ?, 0 FROM account WHERE local = ?",
        (
            node.service,
            node.name,
            node.created,
            json.dumps(node.config, ensure_ascii=False),
            node.creator,
        ),
    )
    if cursor.rowcount == 0:
        return Outcome.MISSING
    id = cursor.lastrowid
    assert id is not None
    grant(connection, id, node.owner, "owner", node.creator)
    return Outcome.DONE


def _found(connection: sqlite3.Connection, service: str, name: str) -> tuple[int, str] | None:
    """The id and the configuration of a node."""
    sql = "SELECT id, config FROM pubsub_node WHERE service = ? AND name = ?"
    row: tuple[int, str] | None = connection.execute(sql, (service, name)).fetchone()
    return row


def _publish(
    connection: sqlite3.Connection,
    node: int | NewNode,
    items: Sequence[NewItem],
    publisher: str,
    at: float,
    limits: Limits,
) -> Published:
    connection.execute("SAVEPOINT publish")
    published = _try_to_publish(connection, node, items, publisher, at, limits)
    if published.outcome is not Outcome.DONE:
        connection.execute("ROLLBACK TO publish")
    connection.execute("RELEASE publish")
    return published


def _try_to_publish(
    connection: sqlite3.Connection,
    node: int | NewNode,
    items: Sequence[NewItem],
    publisher: str,
    at: float,
    limits: Limits,
) -> Published:
    if isinstance(node, NewNode):
        outcome = _create(connection, node)
        found = _found(connection, node.service, node.name)
        if found is None or (outcome is Outcome.EXISTS and json.loads(found[1]) != node.config):
            return Published(outcome)
        id = found[0]
    else:
        id = node
        if not connection.execute("SELECT 1 FROM pubsub_node WHERE id = ?", (id,)).fetchone():
            return Published(Outcome.MISSING)
    for item in items:
        connection.execute(
            "INSERT OR REPLACE INTO pubsub_item (node_id, item, publisher, at, payload, size)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (id, item.id, publisher, at, item.payload, len(item.id) + len(item.payload.encode())),
        )
    removed: tuple[str, ...] = ()
    if limits.items:
        removed = _trim(connection, id, limits.items)
        if removed and limits.reject:
            return Published(Outcome.ITEMS_FULL)
    _measure(connection, id)
    if limits.size and _size(connection, id) > limits.size:
        return Published(Outcome.BYTES_FULL)
    return Published(Outcome.DONE, removed)


def _trim(connection: sqlite3.Connection, node: int, keep: int) -> tuple[str, ...]:
    """Delete all but the newest (-1 = keep all); returns the ids of what is gone."""
    if keep < 0:
        return ()
    sql = "SELECT item FROM pubsub_item WHERE node_id = ? ORDER BY number DESC LIMIT -1 OFFSET ?"
    gone = tuple(item for (item,) in connection.execute(sql, (node, keep)))
    for item in gone:
        sql = "DELETE FROM pubsub_item WHERE node_id = ? AND item = ?"
        connection.execute(sql, (node, item))
    if gone:
        _measure(connection, node)
    return gone


def _expire(connection: sqlite3.Connection, node: int, before: float) -> None:
    sql = "DELETE FROM pubsub_item WHERE node_id = ? AND at < ?"
    if connection.execute(sql, (node, before)).rowcount:
        _measure(connection, node)


def _measure(connection: sqlite3.Connection, node: int) -> None:
    connection.execute(
        "UPDATE pubsub_node SET size ="
        " (SELECT coalesce(sum(size), 0) FROM pubsub_item WHERE node_id = ?) WHERE id = ?",
        (node, node),
    )


def _size(connection: sqlite3.Connection, node: int) -> int:
    """Of everything that the node's account has made."""
    sql = (
        "SELECT coalesce(sum(size), 0) FROM pubsub_node"
        " WHERE account_id = (SELECT account_id FROM pubsub_node WHERE id = ?)"
    )
    return int(connection.execute(sql, (node,)).fetchone()[0])
