"""Commands that clients show as a menu and fill in as forms (XEP-0050).

Other features declare commands; this one lists them, keeps the sessions of those that take more
than one step, and turns what goes wrong into the errors of the standard.  Commands stand at the
service, and at everybody's own account, where some clients look for them.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from hausbote.base.domains import party_of
from hausbote.base.shares import Shares
from hausbote.base.tokens import token
from hausbote.core.command import Command, Done, Values
from hausbote.core.feature import Feature, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, FilledForm, form_in
from hausbote.xmpp.errors import (
    BadRequest,
    FeatureNotImplemented,
    Forbidden,
    ItemNotFound,
    NotAllowed,
    ServiceUnavailable,
)
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, Tree, el

feature = Feature(
    "adhoc",
    xeps={"0050": "1.3.0", "0004": "2.13.2"},
    disco=(ns.COMMANDS, ns.DATA_FORMS),
    account_disco=(ns.COMMANDS,),
)

_ACTIONS: Final = frozenset({"execute", "next", "prev", "complete", "cancel"})
_LIFETIME: Final = 600.0  # seconds that a session waits for its next step
_MAX_SESSIONS: Final = 1_000
_MAX_SESSIONS_EACH: Final = 20  # of one client


@dataclass
class _Session:
    """`stage` is the step that takes the next submission; `filled` what each took before.

    `asked` is the form that it is to be filled into.
    """

    command: Command
    owner: str
    until: float
    asked: DataForm
    stage: int = 1
    filled: list[Values] = field(default_factory=list)


class Sessions:
    """Those under way, the oldest first; a person of the box and another server have a share."""

    def __init__(self) -> None:
        self.by_id: Shares[str, _Session] = Shares(_MAX_SESSIONS)


# -- disco -------------------------------------------------------------------------------------


def _offered(request: Request) -> list[Command]:
    commands = request.host.registry.commands.values()
    return [command for command in commands if command.allowed(request)]


def _is_away(request: Request) -> bool:
    """Whether this is somebody else's account, which has no commands."""
    return request.to.local != "" and request.host.has_accounts and not request.own


def _only_at_home(request: Request) -> None:
    """Other people's accounts do not tell whether they exist, either."""
    if _is_away(request):
        raise ServiceUnavailable


@feature.node(ns.DISCO_ITEMS)
def items(request: Request, node: str) -> Child | None:
    """The list of commands, or nothing below one of them (§2.2)."""
    if _is_away(request):
        return None
    if node == ns.COMMANDS:
        jid = request.to.bare
        found = [el("item", jid=jid, node=c.node, name=c.name) for c in _offered(request)]
        return child(ns.DISCO_ITEMS, "query", *found, node=node)
    if _named(request, node) is None:
        return None
    return child(ns.DISCO_ITEMS, "query", node=node)


@feature.node(ns.DISCO_INFO)
def info(request: Request, node: str) -> Child | None:
    if node == ns.COMMANDS:
        _only_at_home(request)
        identity = el("identity", category="automation", type="command-list", name="Commands")
        return child(ns.DISCO_INFO, "query", identity, node=node)
    command = _named(request, node)
    if command is None:
        return None
    identity = el("identity", category="automation", type="command-node", name=command.name)
    features = [el("feature", var=var) for var in (ns.COMMANDS, ns.DATA_FORMS)]
    return child(ns.DISCO_INFO, "query", identity, *features, node=node)


def _named(request: Request, node: str) -> Command | None:
    """The command; Forbidden if it is not for the sender."""
    command = request.host.registry.commands.get(node)
    if command is not None:
        _only_at_home(request)
        if not command.allowed(request):
            raise Forbidden(type="cancel")
    return command


# -- execution ---------------------------------------------------------------------------------


@feature.iq("set", ns.COMMANDS, "command", Target.HOST, Target.ACCOUNT)
def run(request: Request) -> Child:
    _only_at_home(request)
    tree = request.tree()
    action = tree.get("action", "execute")
    if action not in _ACTIONS:
        raise BadRequest(extra=el("malformed-action", xmlns=ns.COMMANDS))
    node = tree.get("node", "")
    command = _named(request, node)
    if command is None and node.startswith(f"{ns.ADMIN}#"):
        raise FeatureNotImplemented("this is not done from a client here")  # XEP-0133 §5
    if command is None:
        raise ItemNotFound("there is no such command")
    id = tree.get("sessionid")
    if id is None:
        return _begin(request, command, action, form_in(tree))
    session = _session(request, command, id)
    if action == "cancel":
        return _end(request.host, command, id, "canceled", ())
    if action == "prev":
        return _back(request, session, id)
    return _forward(request, session, id, action, tree)


def _begin(request: Request, command: Command, action: str, filled: FilledForm | None) -> Child:
    """A command of one form may be given that form at once (XEP-0317 does so)."""
    if action != "execute":
        raise BadRequest(extra=el("bad-action", xmlns=ns.COMMANDS))
    host, id = request.host, token(96)
    outcome = command.steps[0](request, {})
    if isinstance(outcome, Done):
        return _completed(host, command, id, outcome)
    if filled is not None and filled.type == "submit" and len(command.steps) == 2:
        _check(outcome, filled)
        at_once = command.steps[1](request, filled.values)
        if isinstance(at_once, Done):
            return _completed(host, command, id, at_once)
    assert request.sender is not None
    session = _Session(command, request.sender.full, host.clock() + _LIFETIME, outcome)
    party = party_of(request.sender, host.settings.domain)
    _make_room(host, session.owner, party)
    host.state(Sessions).by_id.put(id, party, session)
    return _executing(session, id, outcome)


def _session(request: Request, command: Command, id: str) -> _Session:
    assert request.sender is not None
    session = request.host.state(Sessions).by_id.get(id)
    if session is None or session.until < request.host.clock():
        # What ended is not remembered, so that an id that never was looks the same.
        raise NotAllowed(extra=el("session-expired", xmlns=ns.COMMANDS))
    if session.owner != request.sender.full or session.command is not command:
        raise BadRequest(extra=el("bad-sessionid", xmlns=ns.COMMANDS))
    return session


def _make_room(host: Host, owner: str, party: Hashable) -> None:
    """Drop what has expired, and the oldest of a client that has too many."""
    sessions, now = host.state(Sessions).by_id, host.clock()
    of_party = [(id, session) for id in sessions.keys_of(party) if (session := sessions.get(id))]
    for id in [id for id, session in of_party if session.until < now]:
        sessions.pop(id)
    own = [id for id, session in of_party if session.owner == owner and id in sessions]
    for id in own[: max(0, len(own) - _MAX_SESSIONS_EACH + 1)]:
        sessions.pop(id)


def _forward(request: Request, session: _Session, id: str, action: str, tree: Tree) -> Child:
    command, last = session.command, session.stage == len(session.command.steps) - 1
    if (action == "complete" and not last) or (action == "next" and last):
        raise BadRequest(extra=el("bad-action", xmlns=ns.COMMANDS))
    form = form_in(tree)
    if form is None:
        raise _bad_payload("a filled in form is needed")
    _check(session.asked, form)
    filled = [*session.filled, form.values]
    outcome = command.steps[session.stage](request, _merged(filled))
    if isinstance(outcome, Done):
        return _completed(request.host, command, id, outcome)
    session.filled = filled
    session.asked = outcome
    session.stage += 1
    session.until = request.host.clock() + _LIFETIME
    return _executing(session, id, outcome)


def _back(request: Request, session: _Session, id: str) -> Child:
    if session.stage == 1:
        raise BadRequest(extra=el("bad-action", xmlns=ns.COMMANDS))
    session.stage -= 1
    session.filled = session.filled[: session.stage - 1]
    outcome = session.command.steps[session.stage - 1](request, _merged(session.filled))
    if isinstance(outcome, Done):
        return _completed(request.host, session.command, id, outcome)
    session.asked = outcome
    return _executing(session, id, outcome)


def _check(asked: DataForm, filled: FilledForm) -> None:
    """Whether nothing that is required is missing; if it is, the form may be sent once more."""
    for needed in asked.fields:
        given = filled.values.get(needed.var, ())
        if needed.required and not any(value.strip() for value in given):
            raise _bad_payload(f"{needed.var} is needed")


def _bad_payload(text: str) -> BadRequest:
    return BadRequest(text, extra=el("bad-payload", xmlns=ns.COMMANDS))


def _merged(filled: list[Values]) -> Values:
    return {var: values for one in filled for var, values in one.items()}


def _executing(session: _Session, id: str, form: DataForm) -> Child:
    last = session.stage == len(session.command.steps) - 1
    forward = "complete" if last else "next"
    back = el("prev") if session.stage > 1 else None
    actions = el("actions", back, el(forward), execute=forward)
    return _command(session.command, id, "executing", actions, form.markup("form"))


def _completed(host: Host, command: Command, id: str, done: Done) -> Child:
    notes = [
        el("note", text, type=type)
        for type, text in (("info", done.info), ("error", done.error))
        if text
    ]
    form = [done.form.markup("result")] if done.form else []
    return _end(host, command, id, "completed", (*notes, *form))


def _end(host: Host, command: Command, id: str, status: str, payload: tuple[Markup, ...]) -> Child:
    host.state(Sessions).by_id.pop(id)
    return _command(command, id, status, *payload)


def _command(command: Command, id: str, status: str, *payload: Markup) -> Child:
    return child(ns.COMMANDS, "command", *payload, node=command.node, sessionid=id, status=status)
