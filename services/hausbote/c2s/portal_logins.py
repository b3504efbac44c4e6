"""Logins at the portal count with those of clients: what guesses there finds the same walls."""

from hausbote.base.log import Event, Word, log
from hausbote.base.portal_logins import ASK, TOLD, Attempt, Judgement, Verdict
from hausbote.base.ways import WEB
from hausbote.c2s.account_events import count_failure
from hausbote.c2s.guessing import LoginGuard
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host

feature = Feature("portal logins")

_PORTAL = "portal"


class _Guard:
    """The one that clients and the portal have in common."""

    def __init__(self) -> None:
        self.guard: LoginGuard | None = None


def guard_of(host: Host) -> LoginGuard:
    """The host's, made on first use."""
    kept = host.state(_Guard)
    if kept.guard is None:
        kept.guard = LoginGuard(host.settings.limits.login_attempts, host.store.clients.exists)
    return kept.guard


@feature.frame(ASK)
def judge(host: Host, frame: Frame) -> None:
    """Who has tried too often hears nothing else, even with the right password, and the portal need
    not look at it."""
    attempt = Attempt.unpack(frame.payload)
    guard, who = guard_of(host), (attempt.address, WEB, attempt.local)
    wait = 0.0
    if guard.refuses(*who, attempt.agent):
        verdict = Verdict.TOO_OFTEN
    elif attempt.proven is None:
        verdict = Verdict.MAY_TRY
    elif not attempt.proven:
        verdict, wait = Verdict.WRONG, guard.penalty(*who, attempt.agent)
        count_failure(host, attempt.local)
    elif not host.store.accounts.may_log_in(attempt.local):
        verdict = Verdict.LOCKED
    else:
        verdict = Verdict.IN
        guard.succeeded(*who)
    if verdict not in (Verdict.IN, Verdict.MAY_TRY):
        event = Event.LOGINS_HELD_BACK if verdict is Verdict.TOO_OFTEN else Event.LOGIN_FAILED
        log(event, session=Word(_PORTAL), why=Word(verdict.value))
    told = Judgement(attempt.id, verdict, wait)
    host.bus.send(_PORTAL, TOLD, "", (), told.pack())
