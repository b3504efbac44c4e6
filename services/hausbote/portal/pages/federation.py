"""For administrators: other servers, what waits for them, and with whom the box talks."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from werkzeug.wrappers import Response

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.core.bus import notify, query_status
from hausbote.core.house import hosted
from hausbote.portal.server_words import what_then, why
from hausbote.portal.visit import Refused, Visit
from hausbote.s2s.rules import Rules
from hausbote.storage import Peer

_PORTION: Final = 50  # servers on a page
_S2S: Final = "s2s"
_DENIED: Final = "denied"  # what s2s notes of servers that the owner refuses


@dataclass(frozen=True)
class _Server:
    """What is known of one; `waiting` are messages, `since` is when the oldest of them came."""

    peer: Peer
    why: str
    connected: bool
    waiting: int
    since: float
    decided: bool | None  # the owner's rule for this very name
    allowed: bool  # by all rules together

    @property
    def is_troubled(self) -> bool:
        return bool(self.why or self.waiting)


def show_all(visit: Visit) -> Response:
    """First those with a problem, then a portion of the others; ?after=NAME is the next one."""
    after = visit.request.args.get("after", "")[:1_023]
    servers = _servers(visit)
    troubled = [one for one in servers if one.is_troubled]
    well = [one for one in servers if not one.is_troubled and one.peer.domain > after]
    return _list(visit, troubled[:_PORTION], well, len(servers), after)


def _list(
    visit: Visit,
    troubled: list[_Server],
    well: list[_Server],
    count: int,
    after: str = "",
    wrong: str = "",
    typed: str = "",
) -> Response:
    return visit.page(
        "federation.html",
        400 if wrong else 200,
        federates=_federates(visit),
        only_allowed=visit.box.settings.federation.only_allowed == "yes",
        troubled=[] if after else troubled,
        well=well[:_PORTION],
        more=well[_PORTION - 1].peer.domain if len(well) > _PORTION else "",
        after=after,
        count=count,
        rules=visit.box.store.server_rules.all(),
        wrong=wrong,
        typed=typed,
    )


def decide(visit: Visit) -> Response:
    """About a name that was typed, which may be that of a server nobody has written to yet."""
    typed = visit.field("domain")
    try:
        domain = _prepared(typed)
    except InvalidJID:
        wrong = visit.say("This is no name of a server. They look like friend.example.")
        return _wrong(visit, wrong, typed)
    if domain in hosted(visit.box.settings):
        return _wrong(visit, visit.say("This is your own box."), typed)
    return _decided(visit, domain)


def _wrong(visit: Visit, wrong: str, typed: str) -> Response:
    servers = _servers(visit)
    troubled = [one for one in servers if one.is_troubled][:_PORTION]
    well = [one for one in servers if not one.is_troubled]
    return _list(visit, troubled, well, len(servers), wrong=wrong, typed=typed)


def show(visit: Visit, domain: str) -> Response:
    server = _known(visit, domain)
    return visit.page(
        "server.html",
        server=server,
        then=what_then(visit.language, server.peer),
        federates=_federates(visit),
        pinned=bool(Rules(visit.box.settings, {}).for_domain(domain).pins),
    )


def change(visit: Visit, domain: str) -> Response:
    """Allow it, deny it, let the settings decide, or try to reach it now."""
    server = _known(visit, domain)
    if visit.field("do") != "try":
        return _decided(visit, server.peer.domain)
    message = {"change": "try", "domain": server.peer.domain}
    if not visit.box.compute(notify, visit.box.settings.bus_dir, _S2S, message):
        note = visit.say("The part of the box for other servers does not answer now.")
    else:
        note = visit.say("It is being tried now. Look again in a moment.")
    return visit.go(_path(domain), note)


def _decided(visit: Visit, domain: str) -> Response:
    rules, settings = visit.box.store.server_rules, visit.box.settings
    kept = True
    match visit.field("do"):
        case "allow":
            kept = rules.decide(domain, visit.box.clock(), allowed=True)
            note = visit.say("The box talks with %(name)s.", name=domain)
        case "deny":
            kept = rules.decide(domain, visit.box.clock(), allowed=False)
            note = visit.say("The box does not talk with %(name)s any more.", name=domain)
        case "forget":
            rules.forget(domain)
            note = visit.say("The settings decide about %(name)s again.", name=domain)
        case _:
            title = visit.say("That was not understood")
            raise Refused(400, title, visit.say("Go back and try again."))
    if not kept:
        title = visit.say("There are too many rules")
        raise Refused(409, title, visit.say("Take some back that are not needed any more."))
    visit.box.compute(notify, settings.bus_dir, _S2S, {"change": "rules"})
    return visit.go("/box/servers", note)


def _federates(visit: Visit) -> bool:
    return bool(visit.box.settings.beyond)


def _path(domain: str) -> str:
    return f"/box/servers/{quote(domain, safe='')}"


def _prepared(typed: str) -> str:
    """The domain of what may be a whole address; InvalidJID."""
    return prepare_domain(typed.rpartition("@")[2].partition("/")[0].lower())


def _known(visit: Visit, domain: str) -> _Server:
    found = next((one for one in _servers(visit) if one.peer.domain == domain), None)
    if found is None:
        title = visit.say("Nothing is known of that server")
        raise Refused(404, title, visit.say("Look at the list of servers."))
    return found


def _servers(visit: Visit) -> list[_Server]:
    """All that something is known of, by name."""
    store, settings = visit.box.store, visit.box.settings
    known = {one.domain: one for one in store.peers.all()}
    waiting: dict[str, tuple[int, float]] = {}
    for one in store.outgoing.waiting():
        count, since = waiting.get(one.remote, (0, one.since))
        waiting[one.remote] = count + one.messages, min(since, one.since)
    decided = store.server_rules.decisions()
    rules, streams = Rules(settings, decided), _streams(visit)
    servers = []
    for domain in sorted({*known, *waiting, *streams, *decided}):
        peer, now = known.get(domain, Peer(domain)), streams.get(domain, {})
        count, since = waiting.get(domain, (0, 0.0))
        connected = bool(now.get("in") or now.get("out"))
        if peer.cause == _DENIED:
            peer = peer._replace(cause="", sentence="")  # told by `allowed`, as it is now
        servers.append(
            _Server(
                peer=peer,
                why=why(visit.language, peer),
                connected=connected,
                waiting=count,
                since=since,
                decided=decided.get(domain),
                allowed=rules.for_domain(domain).allowed,
            )
        )
    return servers


def _streams(visit: Visit) -> dict[str, dict[str, Any]]:
    """How many streams there are with each now, as s2s says."""
    if not _federates(visit):
        return {}
    told = visit.box.compute(query_status, visit.box.settings.bus_dir, _S2S) or {}
    found: dict[str, dict[str, Any]] = told.get("peers", {})
    return found
