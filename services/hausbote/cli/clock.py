"""hausbote clock: what the box thinks of the machine's clock."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from hausbote.base.believed_clock import write_mark
from hausbote.cli.state import load_settings, state_option


@click.group("clock")
def command() -> None:
    """Say that the clock of this machine is right."""


@command.command("accept")
@state_option
def accept(state: Path) -> None:
    """Believe the clock as it is now: what is too old by it will be deleted."""
    settings = load_settings(state)
    now = time.time()
    write_mark(settings.clock_mark, now)
    click.echo(f"It is {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC from now on.")
