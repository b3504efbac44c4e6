"""hausbote config: the settings as they are."""

import json
from pathlib import Path

import click

from hausbote.base.settings import FILE
from hausbote.cli.commented_out import commented_out
from hausbote.cli.named_files import missing_files
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, state_option


@click.group("config")
def command() -> None:
    """Look at the settings."""


@command.command("check")
@state_option
def check(state: Path) -> None:
    """Tell everything that is wrong with the settings."""
    settings = load_settings(state)
    for note in commented_out((state / FILE).read_text("utf-8"), settings):
        click.echo(note)
    missing = list(missing_files(settings))
    if missing:
        raise Problem(*missing)
    click.echo("The settings are fine.")


@command.command("show")
@state_option
def show(state: Path) -> None:
    """Show every setting, those that have their default among them."""
    section = ""
    for key, value in load_settings(state).items():
        before, _, name = key.rpartition(".")
        if before != section:
            section = before
            click.echo(f"\n[{section}]")
        shown = list(value) if isinstance(value, tuple) else value
        click.echo(f"{name} = {json.dumps(shown, ensure_ascii=False)}")
