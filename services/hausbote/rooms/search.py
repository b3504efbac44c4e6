"""Finding public rooms by words (XEP-0433)."""

import math
from typing import Final, NamedTuple

from hausbote.base.domains import server_of
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.core.throttle import Throttle
from hausbote.rooms.access import may_look_in
from hausbote.rooms.configuration import Configuration
from hausbote.rooms.discovery import may_find, public_rooms
from hausbote.rooms.house import house_of
from hausbote.xmpp import ns, paging
from hausbote.xmpp.data_form import DataForm, Field, FilledForm, form_in, truth
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    Forbidden,
    ResourceConstraint,
)
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, Tree, el

feature = Feature("search for rooms", xeps={"0433": "0.1.0"}, disco=(ns.CHANNEL_SEARCH,))

_BY_USERS: Final = f"{{{ns.CHANNEL_SEARCH_ORDER}}}nusers"
_BY_ADDRESS: Final = f"{{{ns.CHANNEL_SEARCH_ORDER}}}address"
_FORM_BEFORE: Final = f"{ns.MUCLUMBUS}#params"
_NAMES_BEFORE: Final = {"sinaddr": "sinaddress"}
_KEYS_BEFORE: Final = {"nusers": _BY_USERS, "address": _BY_ADDRESS}
_SEMI: Final = "muc_semianonymous"
_NONE: Final = "{urn:xmpp:channel-search:0:anonymity}none"
_PAGE: Final = 50
_PER_MINUTE: Final = 60
_MAX_WORDS: Final = 10
_FIELDS: Final = (
    Field("q", (), "text-single", "Search for"),
    Field("all", ("0",), "boolean", "All rooms"),
    Field("sinname", ("1",), "boolean", "Search in names"),
    Field("sindescription", ("1",), "boolean", "Search in descriptions"),
    Field("sinaddress", ("1",), "boolean", "Search in addresses"),
    Field("min_users", ("0",), "text-single", "At least so many people"),
    Field("types", ("xep-0045",), "list-multi", "Kinds", (("xep-0045", "Group chats"),)),
    Field(
        "key",
        (_BY_USERS,),
        "list-single",
        "Order",
        ((_BY_USERS, "How many people are there"), (_BY_ADDRESS, "Address")),
    ),
)


class _Found(NamedTuple):
    address: str
    configuration: Configuration
    users: int | None  # None where that is not for who asks


class _Asked:
    """How often everybody has searched."""

    def __init__(self) -> None:
        self.throttle = Throttle(_PER_MINUTE, 60.0, party=server_of)


@feature.iq("get", ns.CHANNEL_SEARCH, "search", Target.HOST)
def search(request: Request) -> Child:
    """The form, or what was found."""
    if not may_find(request.host, request.sender):
        raise Forbidden("the rooms of this box are for its people")
    query = request.tree()
    form = form_in(query)
    if form is None:
        shown = DataForm(ns.CHANNEL_SEARCH_FORM, _FIELDS).markup("form")
        return child(ns.CHANNEL_SEARCH, "search", shown)
    if form.type != "submit" or form.form_type != ns.CHANNEL_SEARCH_FORM:
        raise BadRequest("a form of another kind is needed here")
    return _result(request, query, form, ns.CHANNEL_SEARCH)


@feature.iq("get", ns.MUCLUMBUS, "search", Target.HOST)
def search_as_before(request: Request) -> Child:
    """The same by the names of the protocol that became XEP-0433, which Converse.js speaks."""
    if not may_find(request.host, request.sender):
        raise Forbidden("the rooms of this box are for its people")
    query = request.tree()
    form = form_in(query)
    if form is None or form.type != "submit" or form.form_type != _FORM_BEFORE:
        raise BadRequest("a form of that search is needed here")
    values = {_NAMES_BEFORE.get(var, var): values for var, values in form.values.items()}
    if "key" in values:
        values["key"] = [_KEYS_BEFORE.get(one, one) for one in values["key"]]
    return _result(request, query, form._replace(values=values), ns.MUCLUMBUS)


def _result(request: Request, query: Tree, form: FilledForm, namespace: str) -> Child:
    _not_too_often(request)
    found = _find(request, form)
    addresses = [one.address for one in found]
    page = paging.choose(addresses, paging.read(query) or paging.Paging(), _PAGE)
    items = [_item(one) for one in found[page.start : page.end]]
    return child(namespace, "result", *items, paging.write(addresses, page))


def _not_too_often(request: Request) -> None:
    throttle = request.host.state(_Asked).throttle
    assert request.sender is not None
    if throttle.exceeded(request.sender.bare):
        seconds = math.ceil(throttle.wait(request.sender.bare))
        limited = el("rate-limit", xmlns=ns.CHANNEL_SEARCH_ERROR, **{"retry-after": str(seconds)})
        raise ResourceConstraint("too many searches", extra=limited)
    throttle.note(request.sender.bare)


def _find(request: Request, form: FilledForm) -> list[_Found]:
    words, everything = _words(form), truth(form.value("all") or "0")
    if words and everything:
        raise BadRequest(
            "words, or all rooms",
            extra=_reason("conflicting-fields", el("var", "q"), el("var", "all")),
        )
    if not words and not everything:
        raise BadRequest(type="cancel", extra=_reason("no-search-conditions"))
    key = form.value("key") or _BY_USERS
    if key not in (_BY_USERS, _BY_ADDRESS):
        problem = FeatureNotImplemented(type="modify", extra=_reason("invalid-sort-key"))
        raise problem
    types = form.values.get("types")
    rooms = _all(request) if types is None or "xep-0045" in types else []
    least = form.value("min_users") or "0"
    least_users = int(least) if least.isascii() and least.isdigit() and len(least) < 9 else 0
    found = [r for r in rooms if (r.users or 0) >= least_users and _matches(r, words, form)]
    if key == _BY_USERS:
        found.sort(key=lambda one: -(one.users or 0))
    return found


def _words(form: FilledForm) -> list[str]:
    text = form.value("q")
    if text is None or (not text.strip() and form.value("all") is not None):
        return []
    words = text.casefold().split()[:_MAX_WORDS]
    if not any(len(word) >= 2 for word in words):
        raise BadRequest(
            "words have at least two characters", extra=_reason("invalid-search-terms")
        )
    return words


def _reason(name: str, *inside: Markup) -> Markup:
    return el(name, *inside, xmlns=ns.CHANNEL_SEARCH_ERROR)


def _all(request: Request) -> list[_Found]:
    present = house_of(request.host).inhabited()
    found = []
    for room in public_rooms(request.host):
        configuration = Configuration.unpack(room.config)
        here = present.get(room.local)
        if here is None:
            users = None if configuration.closed else 0
        else:
            users = len(here.occupants) if may_look_in(here, request.sender) else None
        found.append(_Found(f"{room.local}@{request.host.domain}", configuration, users))
    return found


def _matches(room: _Found, words: list[str], form: FilledForm) -> bool:
    places = {
        "sinname": room.configuration.name,
        "sindescription": room.configuration.description,
        "sinaddress": room.address,
    }
    chosen = [text for var, text in places.items() if truth(form.value(var) or "1")]
    text = "\n".join(chosen).casefold()
    return all(word in text for word in words)


def _item(room: _Found) -> Markup:
    configuration = room.configuration
    texts = {
        "name": configuration.name,
        "description": configuration.description,
        "language": configuration.language,
    }
    return el(
        "item",
        *[el(name, text) for name, text in texts.items() if text],
        None if room.users is None else el("nusers", str(room.users)),
        el("service-type", "xep-0045"),
        None if configuration.closed else el("is-open", "true"),
        el("anonymity-mode", _SEMI if configuration.anonymous else _NONE),
        address=room.address,
    )
