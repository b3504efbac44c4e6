"""Who may do what in a room (XEP-0045 §5): the one place where roles and affiliations are weighed.

`NEEDED` says which role or affiliation an action needs; changing somebody's role or affiliation
also depends on who they are, and is decided by the two functions below it.
"""

from enum import Enum, IntEnum, auto
from typing import Final, NamedTuple

from hausbote.xmpp.errors import Conflict, Forbidden, NotAllowed, StanzaError


class Role(IntEnum):
    """What somebody is during a visit; each has all privileges of those below it."""

    NONE = 0
    VISITOR = 1
    PARTICIPANT = 2
    MODERATOR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Affiliation(IntEnum):
    """What somebody is for the room, whether they are there or not."""

    OUTCAST = 0
    NONE = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4

    @property
    def word(self) -> str:
        return self.name.lower()


ROLES: Final = {role.word: role for role in Role}
AFFILIATIONS: Final = {affiliation.word: affiliation for affiliation in Affiliation}


class Action(Enum):
    """What may be done; what depends on the room's configuration is in configuration.py."""

    SPEAK = auto()
    CHANGE_NICK = auto()
    CHANGE_SUBJECT = auto()
    INVITE = auto()
    GIVE_VOICE = auto()
    MODERATE_MESSAGES = auto()
    SEE_VOICE_LIST = auto()
    SEE_MODERATOR_LIST = auto()
    SEE_BAN_LIST = auto()
    ENTER_OPEN = auto()
    ENTER_MEMBERS_ONLY = auto()
    ENTER_FULL = auto()
    INVITE_TO_MEMBERS_ONLY = auto()
    CONFIGURE = auto()
    DESTROY = auto()
    SET_AVATAR = auto()


class Needed(NamedTuple):
    """Either is enough; None is never enough."""

    role: Role | None = None
    affiliation: Affiliation | None = None


NEEDED: Final[dict[Action, Needed]] = {
    Action.SPEAK: Needed(role=Role.PARTICIPANT),
    Action.CHANGE_NICK: Needed(role=Role.VISITOR),
    Action.CHANGE_SUBJECT: Needed(role=Role.MODERATOR),
    Action.INVITE: Needed(role=Role.PARTICIPANT, affiliation=Affiliation.ADMIN),
    Action.GIVE_VOICE: Needed(role=Role.MODERATOR),
    Action.MODERATE_MESSAGES: Needed(role=Role.MODERATOR, affiliation=Affiliation.ADMIN),
    Action.SEE_VOICE_LIST: Needed(role=Role.MODERATOR, affiliation=Affiliation.ADMIN),
    Action.SEE_MODERATOR_LIST: Needed(affiliation=Affiliation.ADMIN),
    Action.SEE_BAN_LIST: Needed(affiliation=Affiliation.ADMIN),
    Action.ENTER_OPEN: Needed(affiliation=Affiliation.NONE),
    Action.ENTER_MEMBERS_ONLY: Needed(affiliation=Affiliation.MEMBER),
    Action.ENTER_FULL: Needed(affiliation=Affiliation.ADMIN),
    Action.INVITE_TO_MEMBERS_ONLY: Needed(affiliation=Affiliation.ADMIN),
    Action.CONFIGURE: Needed(affiliation=Affiliation.OWNER),
    Action.DESTROY: Needed(affiliation=Affiliation.OWNER),
    Action.SET_AVATAR: Needed(affiliation=Affiliation.OWNER),
}


class Standing(NamedTuple):
    """What somebody is: role NONE for who is not in the room."""

    role: Role
    affiliation: Affiliation


def may(who: Standing, action: Action) -> bool:
    """Whether that role or affiliation is enough."""
    needed = NEEDED[action]
    if needed.role is not None and who.role >= needed.role:
        return True
    return needed.affiliation is not None and who.affiliation >= needed.affiliation


def default_role(affiliation: Affiliation, *, moderated: bool) -> Role:
    """The role of somebody who enters (§5.1.2)."""
    if affiliation >= Affiliation.ADMIN:
        return Role.MODERATOR
    if affiliation is Affiliation.NONE and moderated:
        return Role.VISITOR
    return Role.PARTICIPANT


def role_refusal(actor: Standing, target: Standing, role: Role) -> StanzaError | None:
    """Why `actor` may not give `target`, who is in the room, that role (§8.2 to §8.5, §9.6, §9.7);
    None if they may."""
    if actor.role < Role.MODERATOR and actor.affiliation < Affiliation.ADMIN:
        return Forbidden("moderators do that")
    if role is target.role:
        return None
    if role is Role.MODERATOR:
        admin = actor.affiliation >= Affiliation.ADMIN
        return None if admin else Forbidden("admins make moderators")
    if target.affiliation > actor.affiliation:
        return NotAllowed("they have a higher affiliation")
    if role is Role.NONE:
        if target.role is Role.MODERATOR and actor.affiliation < Affiliation.ADMIN:
            return NotAllowed("moderators are removed by admins")
        return None
    if target.role is Role.MODERATOR:
        if target.affiliation >= Affiliation.ADMIN:
            return NotAllowed("admins and owners are moderators")
        admin = actor.affiliation >= Affiliation.ADMIN
        return None if admin else Forbidden("admins unmake moderators")
    if role is Role.VISITOR and target.affiliation >= min(actor.affiliation, Affiliation.ADMIN):
        return NotAllowed("they do not have a lower affiliation")
    return None


def affiliation_refusal(
    actor: Affiliation, before: Affiliation, after: Affiliation, *, own: bool
) -> StanzaError | None:
    """Why somebody may not change an affiliation, their own or another's (§5.2.2, §9.1 to §9.5,
    §10.3 to §10.8); None if they may.  That an owner must remain is not looked at here."""
    if actor < Affiliation.ADMIN:
        return Forbidden("admins and owners do that")
    if own and after is Affiliation.OUTCAST:
        return Conflict("nobody bans themselves")
    if actor is Affiliation.OWNER or before is after:
        return None
    if after is Affiliation.OUTCAST and before >= Affiliation.ADMIN:
        return NotAllowed("they do not have a lower affiliation")
    if before >= Affiliation.ADMIN or after >= Affiliation.ADMIN:
        return Forbidden("owners do that")
    return None
