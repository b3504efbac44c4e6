"""Tells the administrators that the disk is full, while what fills it is refused (`core.space`)."""

from typing import Final

from hausbote.base.log import Event, log
from hausbote.base.tokens import token
from hausbote.core.feature import Feature, Moment
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el

feature = Feature("full disk")

_MB: Final = 1_048_576


class _Since:
    """The time for which the disk is full; `began` is another object each time, or None."""

    __slots__ = ("began",)

    def __init__(self) -> None:
        self.began: object = None


class _Told:
    """Which of these times an account has been told of."""

    __slots__ = ("of",)

    def __init__(self) -> None:
        self.of: object = None


def look(host: Host) -> None:
    """Look at the disk, which somebody else may fill or clear, too."""
    reserve, since = host.store.reserve, host.state(_Since)
    host.compute(reserve.restore)
    if not reserve.is_low:
        if since.began is not None:
            since.began = None
            log(Event.DISK_HAS_ROOM, megabytes=reserve.free // _MB)
        return
    if since.began is None:
        since.began = object()
        log(Event.DISK_LOW, megabytes=reserve.free // _MB)
        for account in host.directory.online_accounts():
            for session in account.available():
                tell(host, session)


@feature.on(Moment.READY)
def tell(host: Host, session: Session) -> None:
    """Tell an administrator, once; the message is kept nowhere."""
    began = host.state(_Since).began
    if began is None or session.account.state(_Told).of is began:
        return
    if host.store.accounts.is_admin(session.account.local):
        session.account.state(_Told).of = began
        body = Child(ns.CLIENT, "body", el("body", _sentence(host)))
        to = session.jid.full
        attrs = {"from_": host.domain, "to": to, "type": "headline", "id": token(64)}
        session.send(stanza("message", body, **attrs))


def _sentence(host: Host) -> str:
    reserve = host.store.reserve
    return (
        f"The disk of this server has only {reserve.free // _MB} MB left, and "
        f"{reserve.size // _MB} MB are reserved: messages and all else that must be kept are "
        "refused. 'hausbote usage' tells what fills it, 'hausbote purge' makes room."
    )
