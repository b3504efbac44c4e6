"""Invitations: what a token allows whoever has it, how often and until when.

A token is 160 random bits that nobody but who made the invitation is shown; what is kept is its
SHA-256.  It is used up in the same transaction that does what it allows, so of two who come at once
with the last use one is refused.  One whose inviter is locked, or may not give any more what it
gives, counts as withdrawn.
"""

import hashlib
import json
import sqlite3
from typing import Any, Final, TypeVar

from peewee import SqliteDatabase

from hausbote.base.tokens import link_token
from hausbote.storage import circles
from hausbote.storage.account_events import EventKind, note
from hausbote.storage.accounts import Keys, insert, replace_keys
from hausbote.storage.departed import is_departed
from hausbote.storage.invitation import (
    Invitation,
    InvitationRefused,
    Joined,
    Kind,
    Role,
    State,
    Why,
)
from hausbote.storage.rosters import RosterItem, befriend, put_item
from hausbote.storage.writer import Writer

T = TypeVar("T")

_MOST_TOKEN: Final = 200  # characters of one that is looked for
_SELECT: Final = """
SELECT kind, until, coalesce(inviter.local, ''), coalesce(account.local, name),
    (SELECT json_group_array(room.local) FROM invitation_circle JOIN room ON room.id = room_id
        WHERE invitation_id = invitation.id),
    CASE invitation.admin WHEN 0 THEN 'member' ELSE 'administrator' END,
    note, times, used, made,
    withdrawn OR coalesce(inviter.locked, 0) OR coalesce(account.locked, 0)
        OR (inviter.id IS NOT NULL AND NOT inviter.admin
            AND (invitation.admin OR (account.id IS NOT NULL AND account.id != inviter.id))),
    invitation.id
FROM invitation LEFT JOIN account AS inviter ON inviter.id = inviter_id
    LEFT JOIN account ON account.id = account_id
"""
_BY_TOKEN: Final = f"{_SELECT} WHERE digest = ?"
_BY_ID: Final = f"{_SELECT} WHERE invitation.id = ?"
_ALL: Final = f"{_SELECT} ORDER BY invitation.id"
_OF: Final = f"{_SELECT} WHERE inviter.local = ? ORDER BY invitation.id"
_NAMES: Final = (
    "SELECT name FROM invitation WHERE name != '' AND used < times AND NOT withdrawn AND until > ?"
)
_ID_OF: Final = "SELECT id FROM account WHERE local = ? AND NOT locked"
_COUNT: Final = "SELECT count(*) FROM invitation WHERE inviter_id = ? AND until > ?"
_CREATE: Final = (
    "INSERT INTO invitation (digest, kind, inviter_id, account_id, name, admin, note, times, used,"
    " made, until, withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0)"
)
_PUT_IN: Final = (
    "INSERT OR IGNORE INTO invitation_circle (invitation_id, room_id)"
    " SELECT ?, id FROM room WHERE local = ? AND json_extract(config, '$.circle') != ''"
)
_CIRCLES_OF: Final = "SELECT room_id FROM invitation_circle WHERE invitation_id = ?"
_USE: Final = "UPDATE invitation SET used = used + 1 WHERE id = ?"
_WITHDRAW: Final = (
    "UPDATE invitation SET withdrawn = 1 WHERE id = ?1 AND (?2 = '' OR inviter_id ="
    " (SELECT id FROM account WHERE local = ?2))"
)


class Invitations:
    """Changes are on disk when the methods return."""

    def __init__(self, reader: SqliteDatabase, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def create(self, invitation: Invitation, limit: int = 0) -> tuple[Invitation, str]:
        """Keep a new one; returns it as it is kept, and its token, which is shown to nobody again.

        InvitationRefused with NO_ACCOUNT (the inviter's, or that of RESET), NAME_TAKEN (by an
        account or another open invitation), NO_CIRCLE, or TOO_MANY if its inviter has `limit` that
        have not expired, used ones among them (0 = no limit).
        """
        token = link_token()

        def create(connection: sqlite3.Connection) -> Invitation | Why:
            return _create(connection, invitation, _digest(token), limit)

        return _checked(self._writer.submit(create).wait()), token

    # -- looking -------------------------------------------------------------------------------

    def look(self, token: str) -> Invitation | None:
        """The invitation of that token, whatever its state; None if there is none."""
        if len(token) > _MOST_TOKEN:
            return None
        row = self._reader.execute_sql(_BY_TOKEN, (_digest(token),)).fetchone()
        return None if row is None else _invitation(row)

    def check(self, token: str, now: float) -> Invitation:
        """The same if it can be used; InvitationRefused with the reason if it cannot."""
        return _checked(_open(self.look(token), now))

    def all(self) -> list[Invitation]:
        """The oldest first, those that are over included until they are purged."""
        return [_invitation(row) for row in self._reader.execute_sql(_ALL).fetchall()]

    def of(self, inviter: str) -> list[Invitation]:
        """Those of one inviter, likewise."""
        return [_invitation(row) for row in self._reader.execute_sql(_OF, (inviter,)).fetchall()]

    def reserved(self, now: float) -> list[str]:
        """The names that open invitations are for (XEP-0445 §5)."""
        return [name for (name,) in self._reader.execute_sql(_NAMES, (int(now),)).fetchall()]

    # -- using ---------------------------------------------------------------------------------

    def use_for_account(
        self, token: str, local: str, keys: Keys, *, domain: str, now: float, since: int
    ) -> Joined:
        """Make the account, its contacts and its places in circles, and use the invitation once.

        `now` is when the token was shown, for it may expire between that and the new account
        (XEP-0445 §4).  Names of accounts that were deleted after `since` are taken, unless the
        invitation is for that name.  InvitationRefused: UNKNOWN, USED, EXPIRED, WITHDRAWN, UNFIT,
        OTHER_NAME, NAME_TAKEN; then nothing was done.
        """

        def use(connection: sqlite3.Connection) -> Joined | Why:
            invitation = _open(_find(connection, token), now)
            if isinstance(invitation, Why):
                return invitation
            if not invitation.for_account:
                return Why.UNFIT
            if invitation.name and invitation.name != local:
                return Why.OTHER_NAME
            if not invitation.name and is_departed(connection, local, since):
                return Why.NAME_TAKEN
            if not insert(connection, local, keys, admin=invitation.role is Role.ADMINISTRATOR):
                return Why.NAME_TAKEN
            connection.execute(_USE, (invitation.id,))
            return _welcome(connection, invitation, local, domain)

        return _checked(self._writer.submit(use).wait())

    def use_for_reset(self, token: str, keys: Keys, *, now: float, local: str = "") -> str:
        """Set the password and use the invitation; returns whose it is, whose sessions the caller
        ends.  InvitationRefused as above; OTHER_NAME if it is not that of `local`, if given."""

        def use(connection: sqlite3.Connection) -> Invitation | Why:
            invitation = _open(_find(connection, token), now)
            if isinstance(invitation, Why):
                return invitation
            if invitation.kind is not Kind.RESET:
                return Why.UNFIT
            if local not in ("", invitation.name):
                return Why.OTHER_NAME
            connection.execute(_USE, (invitation.id,))
            replace_keys(connection, invitation.name, keys, EventKind.RESET_USED)
            return invitation

        return _checked(self._writer.submit(use).wait()).name

    def use_for_contact(self, token: str, inviter: str, item: RosterItem, *, now: float) -> int:
        """Put a contact into the inviter's roster and use the invitation once; returns the roster's
        new version.  InvitationRefused: UNKNOWN (for others' invitations, too), USED, EXPIRED,
        WITHDRAWN, UNFIT."""

        def use(connection: sqlite3.Connection) -> int | Why:
            found = _find(connection, token)
            if found is None or found.inviter != inviter:
                return Why.UNKNOWN
            invitation = _open(found, now)
            if isinstance(invitation, Why):
                return invitation
            if not invitation.for_contact:
                return Why.UNFIT
            connection.execute(_USE, (invitation.id,))
            return put_item(connection, inviter, item)

        return _checked(self._writer.submit(use).wait())

    # -- ending --------------------------------------------------------------------------------

    def withdraw(self, id: int, inviter: str = "") -> bool:
        """Nobody can use it any more; False if there is none, or none of that inviter."""
        row = (id, inviter)
        return self._writer.submit(lambda c: c.execute(_WITHDRAW, row).rowcount > 0).wait()

    def purge(self, before: float) -> None:
        """Forget what expired before that time; nobody can be told any more what became of it."""
        self._writer.insert("DELETE FROM invitation WHERE until < ?", (int(before),)).wait()


def _checked(outcome: T | Why) -> T:
    if isinstance(outcome, Why):
        raise InvitationRefused(outcome)
    return outcome


def _digest(token: str) -> bytes:
    """A token has so many random bits that nothing slower is needed against trying."""
    return hashlib.sha256(token.encode()).digest()


def _open(invitation: Invitation | None, now: float) -> Invitation | Why:
    """The invitation, or why it cannot be used."""
    if invitation is None:
        return Why.UNKNOWN
    state = invitation.state(now)
    return invitation if state is State.OPEN else Why[state.name]


# -- in the writer's thread --------------------------------------------------------------------


def _create(
    connection: sqlite3.Connection, invitation: Invitation, digest: bytes, limit: int
) -> Invitation | Why:
    made = invitation.made
    inviter = account = None
    if invitation.inviter or invitation.for_contact:
        inviter = _id_of(connection, invitation.inviter)
        if inviter is None:
            return Why.NO_ACCOUNT
        count = connection.execute(_COUNT, (inviter, made)).fetchone()[0]
        if 0 < limit <= count:
            return Why.TOO_MANY
    name = invitation.name
    if invitation.kind is Kind.RESET:
        account, name = _id_of(connection, name), ""
        if account is None:
            return Why.NO_ACCOUNT
    elif name and _is_taken(connection, name, made):
        return Why.NAME_TAKEN
    admin = invitation.role is Role.ADMINISTRATOR
    row = (digest, invitation.kind, inviter, account, name, admin, invitation.note)
    times = 1 if name or account else invitation.times
    id = connection.execute(_CREATE, (*row, times, made, invitation.until)).lastrowid
    for circle in dict.fromkeys(invitation.circles):
        if not connection.execute(_PUT_IN, (id, circle)).rowcount:
            connection.execute("DELETE FROM invitation WHERE id = ?", (id,))
            return Why.NO_CIRCLE
    if account is not None:
        note(connection, account, EventKind.RESET_MADE, made)
    return _invitation(connection.execute(_BY_ID, (id,)).fetchone())


def _id_of(connection: sqlite3.Connection, local: str) -> int | None:
    row = connection.execute(_ID_OF, (local,)).fetchone()
    return None if row is None else int(row[0])


def _is_taken(connection: sqlite3.Connection, name: str, now: int) -> bool:
    there = connection.execute("SELECT 1 FROM account WHERE local = ?", (name,)).fetchone()
    return there is not None or (name,) in connection.execute(_NAMES, (now,)).fetchall()


def _find(connection: sqlite3.Connection, token: str) -> Invitation | None:
    row = connection.execute(_BY_TOKEN, (_digest(token),)).fetchone()
    return None if row is None else _invitation(row)


def _welcome(
    connection: sqlite3.Connection, invitation: Invitation, local: str, domain: str
) -> Joined:
    """The new account's contacts and circles."""
    changed: dict[str, None] = {}
    if invitation.for_contact and invitation.inviter:
        befriend(connection, local, f"{invitation.inviter}@{domain}")
        befriend(connection, invitation.inviter, f"{local}@{domain}")
        changed[invitation.inviter] = None
    for (room,) in connection.execute(_CIRCLES_OF, (invitation.id,)).fetchall():
        changed |= dict.fromkeys(circles.join(connection, room, domain, [local]))
    changed.pop(local, None)
    return Joined(local, tuple(changed), invitation.circles)


def _invitation(row: tuple[Any, ...]) -> Invitation:
    kind, until, inviter, name, rooms, role, note, times, used, made, withdrawn, id = row
    return Invitation(
        kind=Kind(kind),
        until=until,
        inviter=inviter,
        name=name,
        circles=tuple(sorted(json.loads(rooms))),
        role=Role(role),
        note=note,
        times=times,
        used=used,
        made=made,
        withdrawn=bool(withdrawn),
        id=id,
    )
