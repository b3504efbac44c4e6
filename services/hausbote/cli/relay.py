"""hausbote relay: the relay for calls."""

import time
from pathlib import Path
from typing import Final

import click

from hausbote.base.settings import Settings
from hausbote.cli.problem import Problem
from hausbote.cli.relay_trial import inside, tried, trust
from hausbote.cli.state import load_settings, state_option
from hausbote.core.bus.control import notify
from hausbote.turn.coturn import configuration
from hausbote.turn.credentials import issue
from hausbote.turn.offers import offers
from hausbote.turn.place import addresses, place
from hausbote.turn.secrets import Secrets, secrets_of

_CHECK_SECONDS: Final = 60


@click.group("relay")
def command() -> None:
    """The relay for calls, coturn."""


@command.command("config")
@state_option
def config(state: Path) -> None:
    """Print the configuration of a coturn that runs elsewhere; it has the secret in it."""
    settings = load_settings(state)
    secrets = _made(settings)
    click.echo(configuration(settings, place(settings), secrets.all()), nl=False)


@command.command("rotate")
@state_option
@click.option("--now", "at_once", is_flag=True, help="Void all credentials that people have.")
def rotate(state: Path, at_once: bool) -> None:
    """Change the secret behind the credentials; calls go on."""
    settings = load_settings(state)
    secrets, now = _made(settings), time.time()
    secrets.rotate(now)
    if at_once:
        secrets.forget_before(now)
    notify(settings.bus_dir, "turn", {"change": "secret"})
    click.echo("The secret was changed.")
    if settings.relay.run == "elsewhere":
        click.echo("Give the relay its new configuration: hausbote relay config")


@command.command("check")
@state_option
def check(state: Path) -> None:
    """Try the relay as a client would: whether it answers, and what it must not reach."""
    settings = load_settings(state)
    secrets = _made(settings)
    made = issue(secrets.current(), "hausbote relay check", time.time(), _CHECK_SECONDS)
    if not offers(settings):
        raise Problem("There is no coturn here: apt install coturn.")
    trusted, forbidden = trust(settings), inside(addresses(settings))
    good = True
    for offer in offers(settings):
        verdict = tried(offer, made, trusted, forbidden)
        click.echo(f"{offer.type} {offer.host} port {offer.port} {offer.transport}: {verdict.told}")
        good = good and verdict.good
    if not good:
        raise Problem("Calls may fail; docs/calls.md tells which ports must be open.")


def _made(settings: Settings) -> Secrets:
    if settings.relay.run == "off":
        raise Problem("This box has no relay: relay.run is off.")
    secrets = secrets_of(settings)
    secrets.make(time.time())
    return secrets
