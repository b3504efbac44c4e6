"""Who reads the archive, and so needs no offline messages that are in it (XEP-0313 §5.1.1)."""

from hausbote.core.host import Host
from hausbote.core.session import Session


class _Reading:
    """Whether a session's client reads the archive, as far as it has shown."""

    __slots__ = ("archive",)

    def __init__(self) -> None:
        self.archive = False


def reads(host: Host, session: Session) -> bool:
    """Whether its client reads the archive, now or when it was last here under this resource."""
    if session.state(_Reading).archive:
        return True
    return host.store.archiving.is_reader(session.account.local, session.jid.resource)


def note_reader(host: Host, session: Session, *, lasting: bool = True) -> None:
    """Its client reads the archive; `lasting` if that is to be known when it comes again."""
    state = session.state(_Reading)
    if lasting and not state.archive:
        limit = host.settings.limits.clients_per_account
        now = int(host.clock())
        host.store.archiving.note_reader(session.account.local, session.jid.resource, now, limit)
    state.archive = True


def reads_now(session: Session) -> bool:
    """Whether its client has read the archive in this session."""
    return session.state(_Reading).archive


def start_reading(_host: Host, session: Session, _reads: bool) -> None:
    session.state(_Reading).archive = True
