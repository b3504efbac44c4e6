"""Answers what clients ask of their own archives (XEP-0313 §4, §5)."""

from collections.abc import Iterator, Sequence
from typing import Final

from hausbote.base.clock import timestamp
from hausbote.base.jid import JID
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.features.archive import ids, pages
from hausbote.features.archive.query import form
from hausbote.features.archive.readers import note_reader
from hausbote.storage import Archived, Portion, Range
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden
from hausbote.xmpp.soundness import are_sound, leaves
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, escape_attribute

feature = Feature(
    "archive queries",
    xeps={"0059": "1.0", "0313": "1.1.3"},
    account_disco=(ns.MAM, f"{ns.MAM}#extended", f"{ns.MAM}#groupchat-field"),
)

_MESSAGE: Final = b"<message"
_END: Final = b"</message>"
_RESULT_END: Final = b"</message></forwarded></result></message>"


class AccountArchive(pages.Archive[Archived]):
    """The archive of an account of this service."""

    tick = 1_000
    groupchat_field = True

    def __init__(self, host: Host, local: str) -> None:
        self._host = host
        self._local = local

    def page(self, where: Range, limit: int, *, size: int, backwards: bool) -> list[Archived]:
        return self._host.store.archives.page(
            self._local, where, limit, size=size, backwards=backwards
        )

    def count(self, where: Range, limit: int) -> Portion:
        return self._host.store.archives.count(self._local, where, limit)

    def total(self) -> int:
        return self._host.store.archives.total(self._local)

    def ends(self) -> tuple[int, int] | None:
        return self._host.store.archives.ends(self._local)

    def seal(self, ids_: Sequence[int]) -> list[str]:
        return ids.seal_all(self._host, self._local, ids_)

    def unseal(self, text: str) -> int | None:
        return ids.unseal(self._host, self._local, text)

    def is_ahead(self, id: int) -> bool:
        return self._host.store.archives.ids.is_ahead(id)

    def stamp(self, id: int) -> str:
        return timestamp(Archived(id, b"").at)

    def peer(self, jid: JID) -> tuple[str, str]:
        return jid.bare, jid.full if jid.resource else ""

    def names(self, message: Archived, jid: str) -> bool:
        """All quotes in values are escaped."""
        head = message.stanza[: message.stanza.index(b">")]
        value = f"='{escape_attribute(jid)}'".encode()
        return b" from" + value in head or b" to" + value in head


@feature.iq("get", ns.MAM, "query", Target.ACCOUNT)
def describe(request: Request) -> Child:
    _owner(request)
    return child(ns.MAM, "query", form(_archive(request)))


@feature.iq("get", ns.MAM, "metadata", Target.ACCOUNT)
def tell_ends(request: Request) -> Child:
    _owner(request)
    return Child(ns.MAM, "metadata", pages.metadata(_archive(request)))


@feature.bind_result()
def tell_ends_at_login(host: Host, session: Session) -> Markup:
    """Who binds like this reads what it missed from the archive (XEP-0386 §4)."""
    note_reader(host, session, lasting=False)
    return pages.metadata(AccountArchive(host, session.account.local))


@feature.iq("set", ns.MAM, "query", Target.ACCOUNT)
def answer(request: Request) -> Child:
    """The results are on their way before this returns the <fin/>."""
    session = _owner(request)
    page = pages.answer(_archive(request), request.tree(), request.host.settings.archive.page)
    note_reader(request.host, session)
    for result in _results(request.to.bare, session.jid.full, page):
        session.write(result)
    return page.fin


def _owner(request: Request) -> Session:
    """The session that asks for its own archive; nobody else may."""
    if not request.own or request.session is None:
        raise Forbidden
    return request.session


def _archive(request: Request) -> AccountArchive:
    return AccountArchive(request.host, request.to.local)


def _results(account: str, to: str, page: pages.Page[Archived]) -> Iterator[bytes]:
    """One message for each result (XEP-0313 §4.2, XEP-0297)."""
    own = escape_attribute(account)
    query = f" queryid='{escape_attribute(page.queryid)}'" if page.queryid is not None else ""
    before_id = (
        f"<message from='{own}' to='{escape_attribute(to)}'><result xmlns='{ns.MAM}'{query} id='"
    )
    # Only what is not known to be as it was written need be parsed.
    flawless = are_sound([one.stanza for one, _ in page.results if not one.is_intact])
    for message, id in page.results:
        if not (flawless or leaves(message.stanza)):
            continue
        # What is kept is a whole <message> of our own writing, in no namespace of its own.
        head = (
            f"{before_id}{id}'><forwarded xmlns='{ns.FORWARD}'>"
            f"<delay xmlns='{ns.DELAY}' stamp='{timestamp(message.at)}'/>"
            f"<message xmlns='{ns.CLIENT}'"
        )
        stanza_id = f"<stanza-id xmlns='{ns.STANZA_ID}' by='{own}' id='{id}'/>"
        inner = message.stanza[len(_MESSAGE) : -len(_END)]
        yield b"".join((head.encode(), inner, stanza_id.encode(), _RESULT_END))
