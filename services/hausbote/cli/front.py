"""hausbote front: HAProxy before the services."""

from pathlib import Path

import click

from hausbote.cli.haproxy import configuration
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, state_option


@click.group("front")
def command() -> None:
    """HAProxy before the services."""


@command.command("config")
@state_option
def config(state: Path) -> None:
    """Print the configuration of a HAProxy of your own, which runs as the box's user."""
    settings = load_settings(state)
    if not settings.has_front:
        raise Problem("This box has no front: front.run is no.")
    click.echo(configuration(settings, settings.front_dir), nl=False)
