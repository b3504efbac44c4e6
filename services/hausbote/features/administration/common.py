"""What all commands of administrators need: who may run them, which accounts they mean."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.log import Event, Word, log
from hausbote.core.command import Done, Step, Values
from hausbote.core.directory import Account, new_lock
from hausbote.core.feature import Feature
from hausbote.core.host import breathe
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field
from hausbote.xmpp.errors import Forbidden
from hausbote.xmpp.xml import Markup

XEPS: Final = {"0133": "1.3.1"}


class Unfit(Exception):
    """What was filled in cannot be; the message is for the administrator."""


class OneByOne:
    """The work of administrators: what one has looked at, another must not change meanwhile.

    Two who depose each other at the same time would both see that an administrator is left.
    """

    def __init__(self) -> None:
        self.lock = new_lock()


def administrators(request: Request) -> bool:
    """Whether the sender is an administrator of this box: the whole address counts."""
    sender, host = request.sender, request.host
    if sender is None or request.session is None or sender.domain != host.domain:
        return False
    return host.store.accounts.is_admin(sender.local)


def node(name: str) -> str:
    return f"{ns.ADMIN}#{name}"


def form(
    title: str,
    *fields: Field,
    instructions: str | None = None,
    inside: Markup | None = None,
) -> DataForm:
    return DataForm(ns.ADMIN, fields, title, instructions, inside)


def asks(title: str, *fields: Field) -> Step:
    """A first step that shows always the same form."""
    shown = form(title, *fields, instructions="Fill out this form.")
    return lambda _request, _values: shown


def single(values: Values, var: str) -> str:
    given = values.get(var, ())
    if len(given) != 1 or not given[0].strip():
        raise Unfit(f"{var} is needed, once.")
    return given[0]


def text(values: Values, var: str) -> str:
    """The lines of a text-multi field."""
    joined = "\n".join(values.get(var, ())).strip()
    if not joined:
        raise Unfit(f"{var} is needed.")
    return joined


def address(request: Request, given: str) -> JID:
    """An address of an account here, whether it exists or not."""
    try:
        jid = JID.parse(given.strip())
    except InvalidJID as problem:
        raise Unfit(f"{given} is no address: {problem}") from None
    if jid.domain != request.host.domain or not jid.local:
        raise Unfit(f"{given} is not an account of this server.")
    return jid


def known(request: Request, given: Sequence[str]) -> list[tuple[JID, Account]]:
    """Accounts that exist, each with the address as it was given; at least one.

    Fields of many lines often end in an empty one.
    """
    found = []
    for one in filter(str.strip, given):
        jid = address(request, one)
        if not request.host.store.accounts.exists(jid.local):
            raise Unfit(f"{jid.bare} does not exist.")
        found.append((jid, request.host.directory.account(jid.local)))
        breathe()
    if not found:
        raise Unfit("An account is needed.")
    return found


def declare(feature: Feature, name: str, title: str, *fields: Field) -> Callable[[Step], Step]:
    """Registers the step that does the work, behind a form with these fields, if any."""
    before = (asks(title, *fields),) if fields else ()
    return declare_after(feature, name, title, *before)


def declare_after(feature: Feature, name: str, title: str, *before: Step) -> Callable[[Step], Step]:
    """The same behind steps of its own.  What is `Unfit` completes the command in vain."""

    def register(work: Step) -> Step:
        @wraps(work)
        def step(request: Request, values: Values) -> DataForm | Done:
            with request.host.state(OneByOne).lock:
                if not administrators(request):  # any more: somebody else's command was first
                    raise Forbidden(type="cancel")
                try:
                    outcome = work(request, values)
                except Unfit as problem:
                    return Done(error=str(problem))
            log(Event.ADMINISTERED, command=Word(name))
            return outcome

        return feature.command(node(name), title, administrators, *before)(step)

    return register
