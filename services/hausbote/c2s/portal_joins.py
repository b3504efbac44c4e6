"""Invitations that are followed in the portal: they count with all other ways to an account."""

from collections.abc import Callable

from hausbote.base.log import Event, Word, log
from hausbote.base.portal_joins import (
    ADMIT,
    ASK,
    IMPERSONATES,
    NO_SPACE,
    TOLD,
    TOO_OFTEN,
    Join,
    Newcomer,
    Outcome,
)
from hausbote.base.ways import WEB
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.space import need_space
from hausbote.features.closing import end_sessions
from hausbote.features.newcomers import Newcomers, held_since
from hausbote.features.preauth import welcome
from hausbote.storage import InvitationRefused, Kind, StorageError, Why
from hausbote.xmpp.errors import (
    Conflict,
    NotAcceptable,
    ResourceConstraint,
    StanzaError,
    StreamError,
)
from hausbote.xmpp.sasl import ScramKeys

feature = Feature("portal invitations")

_PORTAL = "portal"


@feature.frame(ADMIT)
def admit(host: Host, frame: Frame) -> None:
    """Counts a try, whatever becomes of it: what it costs the portal is spent afterwards."""
    asked = Newcomer.unpack(frame.payload)
    try:
        host.state(Newcomers).admit(host, asked.address, WEB)
        outcome = Outcome(asked.id)
    except ResourceConstraint:
        outcome = Outcome(asked.id, problem=TOO_OFTEN)
    host.bus.send(_PORTAL, TOLD, "", (), outcome.pack())


@feature.frame(ASK)
def join(host: Host, frame: Frame) -> None:
    """Waits for the disk; somebody looks at a page until the answer comes, whatever it is."""
    asked = Join.unpack(frame.payload)
    outcome = _tried(_reset if not asked.local else _new, host, asked)
    host.bus.send(_PORTAL, TOLD, "", (), outcome.pack())


def _tried(act: Callable[[Host, Join], str], host: Host, asked: Join) -> Outcome:
    try:
        return Outcome(asked.id, local=act(host, asked))
    except InvitationRefused as refused:
        problem = refused.why.name.lower()
    except Conflict:
        problem = Why.NAME_TAKEN.name.lower()
    except NotAcceptable:
        problem = IMPERSONATES
    except StorageError:
        problem = NO_SPACE
    except StanzaError:
        problem = NO_SPACE if host.store.reserve.is_low else TOO_OFTEN
    return Outcome(asked.id, problem=problem)


def _new(host: Host, asked: Join) -> str:
    newcomers, now = host.state(Newcomers), host.surely()
    invitation = host.store.invitations.check(asked.token, now)
    with newcomers.claim(host, asked.local, invited=invitation.name == asked.local):
        need_space(host)
        newcomers.count(host, asked.address, WEB)
        joined = host.store.invitations.use_for_account(
            asked.token,
            asked.local,
            _keys(asked),
            domain=host.domain,
            now=now,
            since=held_since(host),
        )
    log(Event.INVITATION_USED, kind=Word(invitation.kind))
    welcome(host, joined)
    return joined.local


def _reset(host: Host, asked: Join) -> str:
    """Whoever knows the old password is logged out."""
    now = host.surely()
    local = host.store.invitations.use_for_reset(asked.token, _keys(asked), now=now)
    log(Event.INVITATION_USED, kind=Word(Kind.RESET))
    account = host.directory.online(local)
    if account is not None:
        end_sessions(host, account, StreamError("reset", "the password was changed"))
    return local


def _keys(asked: Join) -> dict[str, ScramKeys]:
    return {hash: ScramKeys(*parts) for hash, parts in asked.keys.items()}
