"""What a client asks of its archive, as it is written in a <query/> (XEP-0313 §4)."""

import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from hausbote.base.clock import moment
from hausbote.base.jid import JID, InvalidJID
from hausbote.storage import Range
from hausbote.xmpp import ns, paging
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, form_in, truth
from hausbote.xmpp.errors import BadRequest, FeatureNotImplemented, ItemNotFound, JidMalformed
from hausbote.xmpp.xml import Tree, el

_MILLISECOND: Final = 1_000  # of what ids count; no finer time is told to clients
_FIELDS: Final = frozenset(
    ("with", "start", "end", "before-id", "after-id", "ids", "include-groupchat")
)
_VALIDATE: Final = "http://jabber.org/protocol/xdata-validate"

_IDS: Final = el(
    "field",
    el("validate", el("open"), xmlns=_VALIDATE, datatype="xs:string"),
    var="ids",
    type="list-multi",
)
FORM: Final = DataForm(
    ns.MAM,
    (
        Field("with", (), "jid-single"),
        Field("start", ()),
        Field("end", ()),
        Field("before-id", ()),
        Field("after-id", ()),
        Field("include-groupchat", (), "boolean"),
    ),
    inside=_IDS,
).markup("form")
"""What a client may fill in (§4.1.5)."""


class Query(NamedTuple):
    """`where` has everything but `resource`, the full JID that `with` named if it was one.

    `known` are the ids that were named and must be there.  `limit` is None if none was given.
    """

    where: Range
    resource: str = ""
    known: tuple[int, ...] = ()
    limit: int | None = None
    backwards: bool = False
    paged: bool = False  # it goes on from another page
    flipped: bool = False


def read(query: Tree, unseal: Callable[[str], int | None]) -> Query:
    """The query; a StanzaError if it is wrong.  `unseal` knows ids of the archive."""
    if query.get("node") is not None:
        raise FeatureNotImplemented("an account's archive has no nodes")
    reader = _Reader(unseal)
    form = form_in(query)
    if form is not None:
        reader.read_form(form)
    page = paging.read(query)
    if page is not None:
        reader.read_page(page)
    flipped = query.find(f"{{{ns.MAM}}}flip-page") is not None
    return Query(
        Range(reader.after, reader.before, reader.peer, reader.ids),
        reader.resource,
        tuple(reader.known),
        page.max if page is not None else None,
        backwards=page is not None and page.before is not None,
        paged=page is not None and bool(page.after or page.before),
        flipped=flipped,
    )


class _Reader:
    """Narrows down what is asked for, condition by condition."""

    def __init__(self, unseal: Callable[[str], int | None]) -> None:
        self._unseal = unseal
        self.after = 0
        self.before = sys.maxsize
        self.peer = self.resource = ""
        self.ids: tuple[int, ...] | None = None
        self.known: list[int] = []

    def read_form(self, form: FilledForm) -> None:
        if form.type != "submit" or form.form_type != ns.MAM:
            raise BadRequest("the form is not one of this protocol, to be submitted")
        if not _FIELDS.issuperset(form.values):
            raise FeatureNotImplemented("there is a field that is not known here")
        groupchat = form.value("include-groupchat")  # there is none in any archive of an account
        if groupchat is not None and truth(groupchat) is None:
            raise BadRequest("include-groupchat is true or false")
        self._read_peer(form.value("with"))
        start, end = form.value("start"), form.value("end")
        if start is not None:  # counted in milliseconds, as `timestamp` tells times
            first = -(-_microseconds(start) // _MILLISECOND) * _MILLISECOND
            self._narrow(after=first - 1)
        if end is not None:
            self._narrow(before=(_microseconds(end) // _MILLISECOND + 1) * _MILLISECOND)
        after, before = form.value("after-id"), form.value("before-id")
        if after is not None:
            self._narrow(after=self._known(after))
        if before is not None:
            self._narrow(before=self._known(before))
        if "ids" in form.values:
            self.ids = tuple(dict.fromkeys(self._known(text) for text in form.values["ids"]))

    def read_page(self, page: paging.Paging) -> None:
        if page.start is not None:
            raise FeatureNotImplemented("pages are asked for by ids")
        if page.after is not None:
            self._narrow(after=self._known(page.after))
        if page.before:
            self._narrow(before=self._known(page.before))

    def _read_peer(self, text: str | None) -> None:
        if text is None:
            return
        try:
            peer = JID.parse(text)
        except InvalidJID as problem:
            raise JidMalformed(str(problem)) from None
        self.peer, self.resource = peer.bare, peer.full if peer.resource else ""

    def _narrow(self, *, after: int = 0, before: int = sys.maxsize) -> None:
        self.after, self.before = max(self.after, after), min(self.before, before)

    def _known(self, text: str) -> int:
        id = self._unseal(text)
        if id is None:
            raise ItemNotFound
        self.known.append(id)
        return id


def _microseconds(text: str) -> int:
    at = moment(text)
    if at is None:
        raise BadRequest("a time is written like 2010-06-07T00:00:00Z")
    return at
