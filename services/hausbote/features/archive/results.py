"""Writes a page of an archive: one message for each result (XEP-0313 §4.2, XEP-0297)."""

from collections.abc import Iterator, Sequence

from hausbote.base.clock import timestamp
from hausbote.core.host import Host
from hausbote.features.archive.ids import seal_all
from hausbote.storage import Archived
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, el, escape_attribute

_MESSAGE = b"<message"
_END = b"</message>"
_RESULT_END = b"</message></forwarded></result></message>"


def results(
    host: Host, to: str, local: str, queryid: str | None, page: Sequence[Archived], ids: list[str]
) -> Iterator[bytes]:
    """The results for a client; `ids` are those of the page as clients see them."""
    own = escape_attribute(f"{local}@{host.domain}")
    query = f" queryid='{escape_attribute(queryid)}'" if queryid is not None else ""
    before_id = (
        f"<message from='{own}' to='{escape_attribute(to)}'><result xmlns='{ns.MAM}'{query} id='"
    )
    for message, id in zip(page, ids, strict=True):
        # What is kept is a whole <message> of our own writing, in no namespace of its own.
        head = (
            f"{before_id}{id}'><forwarded xmlns='{ns.FORWARD}'>"
            f"<delay xmlns='{ns.DELAY}' stamp='{timestamp(message.at)}'/>"
            f"<message xmlns='{ns.CLIENT}'"
        )
        stanza_id = f"<stanza-id xmlns='{ns.STANZA_ID}' by='{own}' id='{id}'/>"
        inner = message.stanza[len(_MESSAGE) : -len(_END)]
        yield b"".join((head.encode(), inner, stanza_id.encode(), _RESULT_END))


def fin(ids: Sequence[str], *, complete: bool, count: int | None) -> Child:
    """What ends a page.  The number of all results is told where it is known for nothing."""
    ends: list[Markup] = []
    if ids:
        index = "0" if complete and count is not None else None
        ends = [el("first", ids[0], index=index), el("last", ids[-1])]
    total = el("count", str(count)) if count is not None else None
    paging = el("set", *ends, total, xmlns=ns.PAGING)
    return child(ns.MAM, "fin", paging, complete="true" if complete else None)


def metadata(host: Host, local: str) -> Markup:
    """Where an account's archive begins and ends (XEP-0313 §5)."""
    ends = host.store.archives.ends(local)
    if ends is None:
        return el("metadata", xmlns=ns.MAM)
    sealed = seal_all(host, local, ends)
    start, end = [
        el(name, id=id, timestamp=timestamp(Archived(at, b"").at))
        for name, id, at in zip(("start", "end"), sealed, ends, strict=True)
    ]
    return el("metadata", start, end, xmlns=ns.MAM)
