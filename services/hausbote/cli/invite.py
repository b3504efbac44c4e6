"""hausbote invite: links with which people get an account, a contact, or another password."""

import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from hausbote.base.clock import timestamp
from hausbote.base.settings import Settings
from hausbote.cli.addresses import local_part
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.features.account_names import doubts
from hausbote.features.invitation_links import links_of
from hausbote.storage import (
    MOST_DAYS,
    MOST_NOTE,
    MOST_TIMES,
    Invitation,
    InvitationRefused,
    Kind,
    Role,
    Store,
)

_DAY: Final = 86_400  # seconds
_USES: Final = {
    Kind.ACCOUNT: "an account",
    Kind.FRIEND: "a contact, with an account here if need be",
    Kind.CONTACT: "a contact",
    Kind.RESET: "another password",
}


@click.group("invite", invoke_without_command=True)
@state_option
@click.option("--contact-of", metavar="JID", help="Who follows it becomes this person's contact.")
@click.option("--account", is_flag=True, help="With --contact-of: they can get an account, too.")
@click.option("--circle", "circles", multiple=True, metavar="NAME", help="A new account joins it.")
@click.option("--name", metavar="JID", help="The address of the new account. Default: any.")
@click.option("--admin", is_flag=True, help="The new account may administer the box.")
@click.option("--reset", metavar="JID", help="It sets another password for this account.")
@click.option("--times", type=click.IntRange(1, MOST_TIMES), default=1, help="Uses. Default: 1.")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    help="Days until it expires. Default: `invitations.days` of the settings.",
)
@click.option("--note", default="", help="What it is for; nobody else sees it.")
@click.pass_context
def command(
    context: click.Context,
    state: Path,
    contact_of: str | None,
    account: bool,
    circles: tuple[str, ...],
    name: str | None,
    admin: bool,
    reset: str | None,
    times: int,
    days: int | None,
    note: str,
) -> None:
    """Make an invitation and print its link; without options it is for one account."""
    if context.invoked_subcommand is not None:
        _must_stand_alone(context)
        return
    settings = load_settings(state)
    new = bool(circles or name or admin)
    kind = _kind(bool(contact_of), account or new, bool(reset))
    person = reset or name
    now = int(time.time())
    wanted = Invitation(
        kind=kind,
        until=now + (days or settings.invitations.days) * _DAY,
        inviter=local_part(settings, contact_of) if contact_of else "",
        name=local_part(settings, person) if person else "",
        circles=circles,
        role=Role.ADMINISTRATOR if admin else Role.MEMBER,
        note=_checked(note),
        times=times,
        made=now,
    )
    if times > 1 and wanted.name:
        raise Problem("An invitation for one name is used once: --times cannot be given with it.")
    _must_be_usable(settings, kind)
    with opened_store(settings) as store:
        doubt = doubts(settings, wanted.name, store.accounts.names()) if name else None
        made, token = _create(store, wanted)
    _print(settings, made, token)
    if doubt is not None:
        click.echo(doubt, err=True)


@command.command("list")
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object per line.")
def list_invitations(state: Path, as_json: bool) -> None:
    """List all invitations, also those that are over, until they are forgotten after a month."""
    settings = load_settings(state)
    with opened_store(settings) as store:
        invitations = store.invitations.all()
    now = time.time()
    for one in invitations:
        click.echo(_as_json(one, now) if as_json else _line(settings, one, now))
    sys.stdout.flush()


@command.command("withdraw")
@state_option
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
def withdraw(state: Path, ids: tuple[int, ...]) -> None:
    """Let nobody use an invitation any more; `hausbote invite list` has the numbers."""
    settings = load_settings(state)
    with opened_store(settings) as store:
        missing = [id for id in ids if not store.invitations.withdraw(id)]
    if missing:
        raise Problem(*[f"There is no invitation {id}." for id in missing])
    click.echo("Nobody can use it any more." if len(ids) == 1 else "Nobody can use them any more.")


# -- making ------------------------------------------------------------------------------------


def _must_stand_alone(context: click.Context) -> None:
    """What is given before `list` or `withdraw` would be for nothing."""
    for name in context.params:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"options stand behind {context.invoked_subcommand}", context)


def _kind(contact: bool, account: bool, reset: bool) -> Kind:
    if reset:
        if contact or account:
            raise Problem("--reset stands alone, but for --days and --note.")
        return Kind.RESET
    if contact:
        return Kind.FRIEND if account else Kind.CONTACT
    return Kind.ACCOUNT


def _checked(note: str) -> str:
    if len(note) > MOST_NOTE or not note.isprintable():
        raise Problem(f"A note is one line of at most {MOST_NOTE} characters.")
    return note


def _must_be_usable(settings: Settings, kind: Kind) -> None:
    """Links that lead nowhere are not given out."""
    if settings.registration != "closed" or kind is Kind.CONTACT:
        return
    if kind is Kind.RESET and settings.portal_url:
        return
    raise Problem(
        'registration is "closed", so nobody could use this: set registration = "invite" in'
        f" {settings.state / 'hausbote.toml'} and start the box again."
    )


def _create(store: Store, wanted: Invitation) -> tuple[Invitation, str]:
    try:
        return store.invitations.create(wanted)
    except InvitationRefused as refused:
        raise Problem(refused.why.value) from None


def _print(settings: Settings, made: Invitation, token: str) -> None:
    links = links_of(settings, made, token)
    for link in (links.url, links.uri):
        if link:
            click.echo(link)
    times = "once" if made.times == 1 else f"{made.times} times"
    click.echo(f"It is good {times}, until {_moment(made.until)}.", err=True)


# -- listing -----------------------------------------------------------------------------------


def _line(settings: Settings, one: Invitation, now: float) -> str:
    uses = f"used {one.used} of {one.times} times" if one.times > 1 else ""
    parts = [
        f"{one.id}  {one.state(now)}  until {_moment(one.until)}  {_USES[one.kind]}",
        f"for {one.name}@{settings.domain}" if one.name else "",
        f"as {one.role}" if one.role is not Role.MEMBER else "",
        f"in {', '.join(one.circles)}" if one.circles else "",
        f"by {one.inviter}@{settings.domain}" if one.inviter else "",
        uses,
        f"({one.note})" if one.note else "",
    ]
    return "  ".join(part for part in parts if part)


def _as_json(one: Invitation, now: float) -> str:
    told = asdict(one) | {"state": one.state(now)}
    told["made"], told["until"] = timestamp(one.made), timestamp(one.until)
    return json.dumps(told, ensure_ascii=False)


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
