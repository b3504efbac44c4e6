"""What a client asks of an archive, as it is written in a <query/> (XEP-0313 §4)."""

import sys
from typing import ClassVar, Final, NamedTuple, Protocol

from hausbote.base.clock import moment
from hausbote.base.jid import JID, InvalidJID
from hausbote.storage import Range
from hausbote.xmpp import ns, paging
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, form_in, truth
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    ItemNotFound,
    JidMalformed,
    PolicyViolation,
)
from hausbote.xmpp.xml import Markup, Tree, el

_MAX_IDS: Final = 1_000  # that are named in one query
_FIELDS: Final = frozenset(("with", "start", "end", "before-id", "after-id", "ids"))
_GROUPCHAT: Final = "include-groupchat"
_VALIDATE: Final = "http://jabber.org/protocol/xdata-validate"

_IDS: Final = el(
    "field",
    el("validate", el("open"), xmlns=_VALIDATE, datatype="xs:string"),
    var="ids",
    type="list-multi",
)


class Asked(Protocol):
    """What must be known of an archive to understand what is asked of it: see `pages.Archive`."""

    tick: ClassVar[int]
    groupchat_field: ClassVar[bool]

    def unseal(self, text: str) -> int | None: ...
    def is_ahead(self, id: int) -> bool: ...
    def peer(self, jid: JID) -> tuple[str, str]: ...


def form(archive: Asked) -> Markup:
    """What a client may fill in (§4.1.5)."""
    fields = [
        Field("with", (), "jid-single"),
        Field("start", ()),
        Field("end", ()),
        Field("before-id", ()),
        Field("after-id", ()),
    ]
    if archive.groupchat_field:
        fields.append(Field(_GROUPCHAT, (), "boolean"))
    return DataForm(ns.MAM, tuple(fields), inside=_IDS).markup("form")


class Query(NamedTuple):
    """`where` has everything but `resource`, the full JID that `with` named if only that was meant.

    `known` are the ids that were named and must be there.  `limit` is None if none was given.
    """

    where: Range
    resource: str = ""
    known: tuple[int, ...] = ()
    limit: int | None = None
    backwards: bool = False
    paged: bool = False  # it goes on from another page
    flipped: bool = False


def read(query: Tree, archive: Asked) -> Query:
    """The query; a StanzaError if it is wrong."""
    if query.get("node") is not None:
        raise FeatureNotImplemented("this archive has no nodes")
    reader = _Reader(archive)
    filled = form_in(query)
    if filled is not None:
        reader.read_form(filled)
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

    def __init__(self, archive: Asked) -> None:
        self._archive = archive
        self.after = 0
        self.before = sys.maxsize
        self.peer = self.resource = ""
        self.ids: tuple[int, ...] | None = None
        self.known: list[int] = []

    def read_form(self, form: FilledForm) -> None:
        if form.type != "submit" or form.form_type != ns.MAM:
            raise BadRequest("the form is not one of this protocol, to be submitted")
        known = _FIELDS | {_GROUPCHAT} if self._archive.groupchat_field else _FIELDS
        if not known.issuperset(form.values):
            raise FeatureNotImplemented("there is a field that is not known here")
        groupchat = form.value(_GROUPCHAT)  # there is none in any archive of an account
        if groupchat is not None and truth(groupchat) is None:
            raise BadRequest("include-groupchat is true or false")
        self._read_peer(form.value("with"))
        start, end = form.value("start"), form.value("end")
        tick = self._archive.tick  # times count as they are told
        if start is not None:
            self._narrow(after=-(-_microseconds(start) // tick) * tick - 1)
        if end is not None:
            self._narrow(before=(_microseconds(end) // tick + 1) * tick)
        after, before = form.value("after-id"), form.value("before-id")
        if after is not None:
            self._narrow(after=self._past(after))
        if before is not None:
            self._narrow(before=self._known(before))
        if len(form.values.get("ids", ())) > _MAX_IDS:
            raise PolicyViolation(f"at most {_MAX_IDS} ids are asked for at once")
        if "ids" in form.values:
            self.ids = tuple(dict.fromkeys(self._known(text) for text in form.values["ids"]))

    def read_page(self, page: paging.Paging) -> None:
        if page.start is not None:
            raise FeatureNotImplemented("pages are asked for by ids")
        if page.after is not None:
            self._narrow(after=self._past(page.after))
        if page.before:
            self._narrow(before=self._known(page.before))

    def _read_peer(self, text: str | None) -> None:
        if text is None:
            return
        try:
            peer = JID.parse(text)
        except InvalidJID as problem:
            raise JidMalformed(str(problem)) from None
        self.peer, self.resource = self._archive.peer(peer)

    def _narrow(self, *, after: int = 0, before: int = sys.maxsize) -> None:
        self.after, self.before = max(self.after, after), min(self.before, before)

    def _past(self, text: str) -> int:
        """What is behind an id of a time when the clock was ahead comes only when that is here: who
        has read up to there begins again, as with an id that is gone (XEP-0313 §4.3.2)."""
        id = self._known(text)
        if self._archive.is_ahead(id):
            raise ItemNotFound("this message has the id of a time that is still to come")
        return id

    def _known(self, text: str) -> int:
        id = self._archive.unseal(text)
        if id is None:
            raise ItemNotFound("there is no such message")
        self.known.append(id)
        return id


def _microseconds(text: str) -> int:
    at = moment(text)
    if at is None:
        raise BadRequest("a time is written like 2010-06-07T00:00:00Z")
    return at
