"""The steps that bring a database file from one version to the next; `migrating.py` runs them.

They only go forward, and one that was released is never changed.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

Step = Callable[[sqlite3.Connection], None]


def _run_all(statements: str) -> Step:
    """A step of statements that have no semicolons inside."""

    def step(connection: sqlite3.Connection) -> None:
        for statement in statements.split(";"):
            if statement.strip():
                connection.execute(statement)

    return step


_FIRST: Final = """
CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT, local TEXT NOT NULL UNIQUE, admin INTEGER NOT NULL,
    locked INTEGER NOT NULL, created INTEGER NOT NULL, roster_version INTEGER NOT NULL,
    roster_floor INTEGER NOT NULL);
CREATE TABLE scram (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, hash TEXT NOT NULL,
    salt BLOB NOT NULL, iterations INTEGER NOT NULL, stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL, PRIMARY KEY (account_id, hash)) WITHOUT ROWID;
CREATE TABLE contact (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    name TEXT NOT NULL, subscription TEXT NOT NULL, ask INTEGER NOT NULL,
    approved INTEGER NOT NULL, listed INTEGER NOT NULL, removed INTEGER NOT NULL,
    version INTEGER NOT NULL, groups TEXT NOT NULL, PRIMARY KEY (account_id, jid)) WITHOUT ROWID;
CREATE TABLE subscription_request (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    stanza BLOB NOT NULL, PRIMARY KEY (account_id, jid)) WITHOUT ROWID;
CREATE TABLE offline (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, at REAL NOT NULL,
    stanza BLOB NOT NULL);
CREATE INDEX offline_account_id ON offline (account_id);
CREATE TABLE activity (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE, at REAL NOT NULL,
    status TEXT NOT NULL);
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

_CLIENTS: Final = """
CREATE TABLE client (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, agent TEXT NOT NULL,
    ref TEXT NOT NULL, software TEXT NOT NULL, device TEXT NOT NULL, password INTEGER NOT NULL,
    first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, UNIQUE (account_id, agent));
CREATE TABLE token (
    client_id INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE, slot INTEGER NOT NULL,
    mechanism TEXT NOT NULL, secret TEXT NOT NULL, issued INTEGER NOT NULL,
    expires INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (client_id, slot)) WITHOUT ROWID;
"""


_ACCOUNT_SERVICES: Final = """
CREATE TABLE blocked (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    PRIMARY KEY (account_id, jid)) WITHOUT ROWID;
CREATE TABLE push (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    node TEXT NOT NULL, resource TEXT NOT NULL, options TEXT NOT NULL,
    PRIMARY KEY (account_id, jid, node)) WITHOUT ROWID;
CREATE TABLE notice (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE notice_seen (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name TEXT NOT NULL REFERENCES notice (name) ON DELETE CASCADE,
    PRIMARY KEY (name, account_id)) WITHOUT ROWID;
CREATE INDEX notice_seen_account_id ON notice_seen (account_id);
"""


_PUBSUB: Final = """
CREATE TABLE pubsub_node (
    id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, name TEXT NOT NULL,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, created REAL NOT NULL,
    config TEXT NOT NULL, size INTEGER NOT NULL, UNIQUE (service, name));
CREATE INDEX pubsub_node_account_id ON pubsub_node (account_id);
CREATE TABLE pubsub_item (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    node_id INTEGER NOT NULL REFERENCES pubsub_node (id) ON DELETE CASCADE, item TEXT NOT NULL,
    publisher TEXT NOT NULL, at REAL NOT NULL, payload TEXT NOT NULL, size INTEGER NOT NULL,
    UNIQUE (node_id, item));
CREATE INDEX pubsub_item_order ON pubsub_item (node_id, number, size);
CREATE TABLE pubsub_affiliation (
    node_id INTEGER NOT NULL REFERENCES pubsub_node (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    affiliation TEXT NOT NULL, account_id INTEGER REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (node_id, jid)) WITHOUT ROWID;
CREATE INDEX pubsub_affiliation_account_id ON pubsub_affiliation (account_id);
CREATE TABLE pubsub_subscription (
    node_id INTEGER NOT NULL REFERENCES pubsub_node (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    bare TEXT NOT NULL, subid TEXT NOT NULL, state TEXT NOT NULL,
    account_id INTEGER REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (node_id, jid)) WITHOUT ROWID;
CREATE INDEX pubsub_subscription_account_id ON pubsub_subscription (account_id);
CREATE TABLE private_xml (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, ns TEXT NOT NULL,
    name TEXT NOT NULL, xml TEXT NOT NULL, PRIMARY KEY (account_id, ns, name)) WITHOUT ROWID;
CREATE TABLE vcard (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE, xml TEXT NOT NULL);
"""

_FEDERATION: Final = """
CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY AUTOINCREMENT, remote TEXT NOT NULL, local TEXT NOT NULL,
    frame TEXT NOT NULL, at REAL NOT NULL, size INTEGER NOT NULL, stanza BLOB NOT NULL);
CREATE INDEX outgoing_order ON outgoing (remote, local, id);
CREATE INDEX outgoing_at ON outgoing (at);
CREATE UNIQUE INDEX outgoing_frame ON outgoing (frame, remote, local);
CREATE TABLE peer (
    domain TEXT NOT NULL PRIMARY KEY, changed_at REAL NOT NULL,
    reached_at REAL NOT NULL DEFAULT 0, heard_at REAL NOT NULL DEFAULT 0,
    failed_at REAL NOT NULL DEFAULT 0, cause TEXT NOT NULL DEFAULT '',
    sentence TEXT NOT NULL DEFAULT '', fingerprint TEXT NOT NULL DEFAULT '',
    expires_at REAL NOT NULL DEFAULT 0, authority TEXT NOT NULL DEFAULT '');
CREATE INDEX peer_changed_at ON peer (changed_at);
"""


# A message is kept once; each account that has it in its archive has a small row that points to it,
# and `entries` counts these.  Ids are microseconds since 1970.  What is in `archive_fresh` has none
# of these rows yet.
_ARCHIVE: Final = """
CREATE TABLE archived_message (
    id INTEGER PRIMARY KEY, entries INTEGER NOT NULL, stanza BLOB NOT NULL);
CREATE TABLE archive_fresh (id INTEGER PRIMARY KEY, entries TEXT NOT NULL);
CREATE TABLE archive_peer (
    id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    jid TEXT NOT NULL, UNIQUE (account_id, jid));
CREATE TABLE archive (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, id INTEGER NOT NULL,
    peer_id INTEGER NOT NULL, PRIMARY KEY (account_id, id)) WITHOUT ROWID;
CREATE INDEX archive_by_peer ON archive (account_id, peer_id, id);
CREATE TABLE archive_preferences (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    fallback TEXT NOT NULL, always TEXT NOT NULL, never TEXT NOT NULL);
CREATE TABLE archive_reader (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, resource TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (account_id, resource)) WITHOUT ROWID
"""
_ARCHIVE_TRIGGER: Final = """
CREATE TRIGGER archive_entry_deleted AFTER DELETE ON archive BEGIN
    DELETE FROM archived_message WHERE id = OLD.id AND entries = 1;
    UPDATE archived_message SET entries = entries - 1 WHERE id = OLD.id;
END"""


def _archive(connection: sqlite3.Connection) -> None:
    _run_all(_ARCHIVE)(connection)
    connection.execute(_ARCHIVE_TRIGGER)  # which has semicolons of its own


_ROOMS: Final = """
CREATE TABLE room (
    id INTEGER PRIMARY KEY AUTOINCREMENT, local TEXT NOT NULL UNIQUE, creator TEXT NOT NULL,
    created INTEGER NOT NULL, public INTEGER NOT NULL, locked INTEGER NOT NULL,
    config TEXT NOT NULL, subject TEXT, vcard TEXT);
CREATE INDEX room_creator ON room (creator);
CREATE TABLE room_affiliation (
    room_id INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    affiliation TEXT NOT NULL, nick TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (room_id, jid)) WITHOUT ROWID;
CREATE INDEX room_affiliation_jid ON room_affiliation (jid);
CREATE TABLE room_occupant (
    room_id INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE, jid TEXT NOT NULL,
    nick TEXT NOT NULL, role TEXT NOT NULL, presence BLOB NOT NULL,
    PRIMARY KEY (room_id, jid)) WITHOUT ROWID;
CREATE TABLE room_message (
    room_id INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE, id INTEGER NOT NULL,
    occupant TEXT NOT NULL, sender TEXT NOT NULL, cause TEXT NOT NULL, stanza BLOB NOT NULL,
    PRIMARY KEY (room_id, id)) WITHOUT ROWID;
"""


# What somebody said in a room is found without looking at everything, and what a deleted account
# said anywhere is, too.
_SAID_BY: Final = """
CREATE INDEX room_message_sender ON room_message (sender, room_id, id);
"""


_UPLOADS: Final = """
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, name TEXT NOT NULL,
    type TEXT NOT NULL, size INTEGER NOT NULL, key BLOB NOT NULL, until INTEGER NOT NULL,
    expires INTEGER, uploaded REAL, digest BLOB) WITHOUT ROWID;
CREATE INDEX upload_account ON upload (account_id, uploaded, size);
CREATE TABLE upload_day (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE, day INTEGER NOT NULL,
    bytes INTEGER NOT NULL);
CREATE TABLE upload_gone (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_UPLOAD_GOES: Final = (
    "CREATE TRIGGER upload_goes AFTER DELETE ON upload"
    " BEGIN INSERT OR IGNORE INTO upload_gone (id) VALUES (OLD.id); END"
)


def _uploads(connection: sqlite3.Connection) -> None:
    _run_all(_UPLOADS)(connection)
    connection.execute(_UPLOAD_GOES)


_SMALL_UPLOADS: Final = """
DROP TRIGGER upload_goes;
INSERT OR IGNORE INTO upload_gone (id) SELECT id FROM upload WHERE uploaded IS NULL;
CREATE TABLE upload_now (
    id TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, name TEXT NOT NULL,
    type TEXT NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, uploaded REAL NOT NULL,
    expires INTEGER, content BLOB);
INSERT INTO upload_now SELECT id, account_id, name, type, size, digest, uploaded, expires, NULL
    FROM upload WHERE uploaded IS NOT NULL;
DROP TABLE upload;
ALTER TABLE upload_now RENAME TO upload;
CREATE INDEX upload_account ON upload (account_id, uploaded, size);
"""
_LARGE_UPLOAD_GOES: Final = (
    "CREATE TRIGGER upload_goes AFTER DELETE ON upload WHEN OLD.content IS NULL"
    " BEGIN INSERT OR IGNORE INTO upload_gone (id) VALUES (OLD.id); END"
)


def _small_uploads(connection: sqlite3.Connection) -> None:
    """Slots are in memory from now on, and small files in their rows.

    These are too large for a table without rowid: it would move them about as it grows.
    """
    _run_all(_SMALL_UPLOADS)(connection)
    connection.execute(_LARGE_UPLOAD_GOES)


_SIZES: Final = """
CREATE TABLE archive_size (
    account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    bytes INTEGER NOT NULL);
INSERT INTO archive_size SELECT account_id, sum(length(stanza)) FROM archive
    JOIN archived_message ON archived_message.id = archive.id GROUP BY account_id;
ALTER TABLE offline ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
UPDATE offline SET size = length(stanza);
DROP INDEX offline_account_id;
CREATE INDEX offline_account_id ON offline (account_id, size);
ALTER TABLE room ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
UPDATE room SET
    bytes = (SELECT coalesce(sum(length(stanza)), 0) FROM room_message WHERE room_id = room.id),
    counted = (SELECT coalesce(max(id), 0) FROM room_message WHERE room_id = room.id)
"""


_DESTROYED_ROOMS: Final = """
CREATE TABLE destroyed_room (
    local TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL, venue TEXT NOT NULL,
    closed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX destroyed_room_holder ON destroyed_room (holder, until);
CREATE TABLE destroyed_room_person (
    local TEXT NOT NULL REFERENCES destroyed_room (local) ON DELETE CASCADE, jid TEXT NOT NULL,
    owner INTEGER NOT NULL, PRIMARY KEY (local, jid)) WITHOUT ROWID;
CREATE INDEX destroyed_room_person_jid ON destroyed_room_person (jid);
"""


# What waits for other servers is counted by who sent it; a row of size 0 was given up for others.
# Requests have the order in which they came.
_SHARES: Final = """
ALTER TABLE outgoing ADD COLUMN sender TEXT NOT NULL DEFAULT '';
CREATE INDEX outgoing_share ON outgoing (remote, sender, size);
ALTER TABLE subscription_request ADD COLUMN at REAL NOT NULL DEFAULT 0;
"""

_DEPARTED_NAMES: Final = """
CREATE TABLE departed_name (name BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""

_SAFE: Final = """
CREATE TABLE arrival (number INTEGER PRIMARY KEY, name INTEGER NOT NULL, id INTEGER NOT NULL);
CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    until REAL NOT NULL, handled INTEGER NOT NULL, state BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);
"""

_ENDED_TOKENS: Final = """
CREATE TABLE ended_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    mechanism TEXT NOT NULL, secret TEXT NOT NULL);
CREATE INDEX ended_token_client_id ON ended_token (client_id);
"""

_SHARED_BY_SESSIONS: Final = """
CREATE TABLE session_shared (
    number INTEGER PRIMARY KEY, before BLOB NOT NULL, after BLOB NOT NULL,
    at REAL NOT NULL, stanza BLOB NOT NULL);
"""

_MESSAGES: Final = """
ALTER TABLE archive_size ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE archive_size SET messages =
    (SELECT count(*) FROM archive WHERE archive.account_id = archive_size.account_id);
"""

# `digest` is the token's SHA-256.  `account_id` is whose password may be set anew; an invitation of
# the box's owner has no inviter.
_INVITATIONS: Final = """
CREATE TABLE invitation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, kind TEXT NOT NULL,
    inviter_id INTEGER REFERENCES account (id) ON DELETE CASCADE,
    account_id INTEGER REFERENCES account (id) ON DELETE CASCADE,
    name TEXT NOT NULL, admin INTEGER NOT NULL, note TEXT NOT NULL, times INTEGER NOT NULL,
    used INTEGER NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL);
CREATE INDEX invitation_inviter_id ON invitation (inviter_id);
CREATE INDEX invitation_account_id ON invitation (account_id);
CREATE INDEX invitation_until ON invitation (until);
CREATE TABLE invitation_circle (
    invitation_id INTEGER NOT NULL REFERENCES invitation (id) ON DELETE CASCADE,
    room_id INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, room_id)) WITHOUT ROWID;
CREATE INDEX invitation_circle_room_id ON invitation_circle (room_id);
"""

_WEB_LOGINS: Final = """
CREATE TABLE web_login (
    digest BLOB NOT NULL PRIMARY KEY,
    client_id INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX web_login_client_id ON web_login (client_id);
"""

_CHECKSUMS: Final = "ALTER TABLE archived_message ADD COLUMN checksum INTEGER"

# What happened to an account, for its owner.
_ACCOUNT_EVENTS: Final = """
CREATE TABLE account_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, kind TEXT NOT NULL,
    at INTEGER NOT NULL, count INTEGER NOT NULL, told TEXT NOT NULL);
CREATE INDEX account_event_order ON account_event (account_id, kind, at);
CREATE INDEX account_event_at ON account_event (at);
"""
_SERVER_RULES: Final = """
CREATE TABLE server_rule (
    domain TEXT NOT NULL PRIMARY KEY, allowed INTEGER NOT NULL, decided REAL NOT NULL);
"""

_ABUSE_REPORTS: Final = """
CREATE TABLE abuse_report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE, at REAL NOT NULL,
    jid TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX abuse_report_account_id ON abuse_report (account_id);
"""


# When an account goes whose owner wants that; 0 = it stays, -1 = it is being deleted.
_LEAVING: Final = "ALTER TABLE account ADD COLUMN leaves INTEGER NOT NULL DEFAULT 0"

# How many days an account wants its messages kept; 0 = for as long as the box keeps them.
_ARCHIVE_DAYS: Final = "ALTER TABLE archive_preferences ADD COLUMN days INTEGER NOT NULL DEFAULT 0"


STEPS: Final[tuple[Step, ...]] = (
    _run_all(_FIRST),
    _run_all(_CLIENTS),
    _run_all(_ACCOUNT_SERVICES),
    _run_all(_PUBSUB),
    _archive,
    _run_all(_FEDERATION),
    _run_all(_ROOMS),
    _uploads,
    _small_uploads,
    _run_all(_DESTROYED_ROOMS),
    _run_all(_SAID_BY),
    _run_all(_SHARES),
    _run_all(_DEPARTED_NAMES),
    _run_all(_SIZES),
    _run_all(_SAFE),
    _run_all(_ENDED_TOKENS),
    _run_all(_SHARED_BY_SESSIONS),
    _run_all(_MESSAGES),
    _run_all(_INVITATIONS),
    _run_all(_WEB_LOGINS),
    _run_all(_CHECKSUMS),
    _run_all(_ACCOUNT_EVENTS),
    _run_all(_LEAVING),
    _run_all(_ARCHIVE_DAYS),
    _run_all(_SERVER_RULES),
    _run_all(_ABUSE_REPORTS),
)
"""Step number n leads from version n to version n + 1."""
NEWEST: Final = len(STEPS)  # the version that this program reads
