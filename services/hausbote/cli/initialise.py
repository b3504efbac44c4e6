"""hausbote init: a new box."""

import time
from pathlib import Path
from typing import Any

import click

from hausbote.base.claim import make_code, write_claim
from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.settings import (
    FILE,
    Settings,
    SettingsError,
    flat,
    nested,
    parse_override,
)
from hausbote.base.settings_checks import is_ip_address
from hausbote.cli.certificates import make_certificates
from hausbote.cli.named_files import missing_files
from hausbote.cli.new_directory import build_box, is_vacant
from hausbote.cli.problem import Problem
from hausbote.cli.settings_text import toml_file
from hausbote.cli.state import state_option
from hausbote.storage import StorageError, migrate
from hausbote.turn.secrets import secrets_of


@click.command("init")
@state_option
@click.option("--domain", required=True, help="The part after the @ of everybody's address.")
@click.option("--address", help="IP address to listen on.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help='Choose a setting: ports.c2s=5222, or a list: \'web.origins=["https://a", "https://b"]\'',
)
def command(state: Path, domain: str, address: str | None, overrides: tuple[str, ...]) -> None:
    """Make a new box: settings, certificates, an empty database."""
    if state.exists() and not is_vacant(state):
        raise Problem(f"{state} is not empty: there may be a box in it already")
    make_box(state, _choices(domain, address, overrides))


def new_box_in(state: Path, domain: str) -> None:
    """A box with default settings, to which people can be invited, in a directory that is empty;
    Problem."""
    if not is_vacant(state):
        raise Problem(f"{state} has files, but no {FILE}: is it the right volume?")
    make_box(state, _choices(domain, None, ("registration=invite",)))


def make_box(state: Path, chosen: dict[str, Any]) -> None:
    """A box with these settings; Problem."""
    try:
        settings = Settings.from_dict(nested(chosen), state)
    except SettingsError as error:
        raise Problem(*error.problems) from None
    try:
        build_box(state, lambda place: _fill(place, settings, toml_file(chosen)))
    except (OSError, StorageError) as error:
        raise Problem(f"{state} could not be made: {error}") from None
    click.echo(f"{state} is a box for {settings.domain} now.")
    for sentence in missing_files(settings):
        click.echo(sentence)


def _choices(domain: str, address: str | None, overrides: tuple[str, ...]) -> dict[str, Any]:
    try:
        chosen: dict[str, Any] = {"domain": prepare_domain(domain)}
    except InvalidJID as problem:
        raise Problem(f"--domain {domain}: {problem}") from None
    if address is not None:
        chosen["address"] = address
    try:
        chosen.update(flat(dict(parse_override(text) for text in overrides)))
    except SettingsError as error:
        raise Problem(*error.problems) from None
    return chosen


def _fill(place: Path, settings: Settings, text: str) -> None:
    for name in ("certs", "run", "log"):
        (place / name).mkdir(mode=0o700)
    (place / FILE).write_text(text, "utf-8")
    make_certificates(place / "certs", certificate_names(settings), certificate_addresses(settings))
    made = Settings.load(place)
    migrate(made.database_url, made.database_mark)
    secrets_of(made).make(time.time())
    write_claim(made, place, make_code())


def certificate_names(settings: Settings) -> list[str]:
    """Those of a box's own certificate; the relay's is for a front, which there may be one day."""
    names = [settings.domain, *vars(settings.names).values(), f"relay.{settings.domain}"]
    given = settings.relay.host
    names += [given] if given and not is_ip_address(given) else []
    return list(dict.fromkeys(names))


def certificate_addresses(settings: Settings) -> list[str]:
    """IP addresses that the certificate names: those of a box that is used by them."""
    own = [] if settings.address in ("::", "0.0.0.0") else [settings.address]  # noqa: S104
    own += [settings.relay.host] if is_ip_address(settings.relay.host) else []
    local = ["127.0.0.1", "::1"] if settings.domain == "localhost" else []
    return list(dict.fromkeys(own + local))
