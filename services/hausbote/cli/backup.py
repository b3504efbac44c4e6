"""hausbote backup: makes, lists, verifies and restores backups."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hausbote.backup import making, restoring, swap
from hausbote.backup.errors import BackupError
from hausbote.base.backup_places import Places
from hausbote.base.locks import holder_says
from hausbote.base.parent import end_with_parent
from hausbote.base.services import ours
from hausbote.base.settings import FILE, Settings
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, state_option
from hausbote.cli.supervision import processes
from hausbote.core.bus.control import query_status

_MB = 1_048_576
_NICENESS = 10  # services go first

password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the repository's password. Without it you are asked.",
)


@click.group("backup")
def command() -> None:
    """Make backups, see whether they are good, and restore them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left over


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise Problem(str(error)) from None


@command.command("init")
@state_option
@password_option
def init(state: Path, password_file: Path | None) -> None:
    """Make the repository that backup.repository names, and tell its password, once.

    With --password-file a repository that is there already is used.
    """
    settings = load_settings(state)
    with _telling(), making.at_work(settings):
        _prepare(settings, "" if password_file is None else _read_password(password_file))


def _prepare(settings: Settings, password: str = "") -> None:
    new = making.prepare(settings, password)
    restic = making.restic_of(settings)
    click.echo(f"The repository {restic.where} is ready.")
    if restic.local is not None and restic.local.stat().st_dev == settings.state.stat().st_dev:
        click.echo("It is on the disk of the box: if that dies, both are lost.")
    if new:
        click.echo(
            f"Its password is  {new}\n"
            "Write it down and keep it away from this machine: without it nothing can be restored,"
            " by nobody. It is not shown again."
        )


@command.command("create")
@state_option
@click.option("--quiet", is_flag=True, help="Say nothing if all is well.")
@click.option("--if-ready", is_flag=True, help="Only if there is a repository already.")
def create(state: Path, quiet: bool, if_ready: bool) -> None:
    """Make a backup, restore it for a trial, and remove those that are too old."""
    end_with_parent()
    settings = load_settings(state)
    if if_ready and not (settings.backup.repository and making.is_ready(settings)):
        click.echo("There is no place for backups, so none is made: see 'hausbote backup init'.")
        return
    os.nice(_NICENESS)
    with _telling():
        if not making.is_ready(settings) and not quiet:
            with making.at_work(settings):
                _prepare(settings)
        made = making.create(settings)
    if quiet:
        return
    for sentence in made.left_out:
        click.echo(sentence)
    click.echo(
        f"The backup {made.snapshot} is made and verified, with {_contents(made.rows, made.files)};"
        f" it adds {made.added / _MB:.1f} MB, and took {made.seconds:.0f} s."
    )


@command.command("list")
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object per line.")
def list_backups(state: Path, as_json: bool) -> None:
    """List all backups in the repository, the oldest first."""
    settings = load_settings(state)
    with _telling(), making.at_work(settings):
        found = making.known(settings).snapshots()
    for one in found:
        line = f"{one.id}  {_time(one.at)}  {one.domain}"
        click.echo(json.dumps(one._asdict()) if as_json else line)


@command.command("verify")
@state_option
@click.argument("snapshot", required=False, default="")
def verify(state: Path, snapshot: str) -> None:
    """Read the whole repository, restore SNAPSHOT (the last backup) for a trial, and compare.

    Compared are the number of rows of every table, the sums of all files, and the database with
    itself. Nothing of the box is changed.
    """
    settings = load_settings(state)
    os.nice(_NICENESS)
    with _telling():
        chosen, found = making.verify(settings, snapshot)
    click.echo(
        f"The backup {chosen.id} of {_time(chosen.at)} is good: all of it was restored for a trial,"
        f" with {_contents(found.manifest.rows, found.files)}."
    )


@command.command("restore")
@state_option
@click.argument("snapshot", required=False, default="")
@click.option("--repository", metavar="PLACE", help="Where the backups are, as in the settings.")
@password_option
@click.option("--environment", type=click.Path(path_type=Path), help="More for restic: NAME=VALUE.")
@click.option("--damaged", is_flag=True, help="Also from a backup that is damaged.")
@click.option("--undo", is_flag=True, help="Put back what was there before the last restore.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(state: Path, snapshot: str, undo: bool, yes: bool, **options: Any) -> None:
    """Make the box what it was when SNAPSHOT (the last backup) was made.

    On an empty machine name the repository. A box that is there must not run; it is put aside until
    what was restored has started once.
    """
    with _telling(), restoring.alone(state) as recovered:
        if recovered:
            click.echo(recovered)
        settings = load_settings(state) if (state / FILE).exists() else None
        if settings is not None:
            _refuse_running(settings)
        if undo:
            swap.undo(state)
            click.echo("The box is what it was before it was restored.")
            return
        _refuse_foreign_directory(state, settings)
        source = _source(state, settings, **options)
        if settings is not None:
            _ask(settings, yes)
        done = restoring.restore(
            state, source, snapshot, despite_damage=options["damaged"], tell=click.echo
        )
    for sentence in done.sentences:
        click.echo(sentence)
    rows = done.fetched.manifest.rows
    click.echo(
        f"{state} is the box as it was on {_time(done.snapshot.at)}, with"
        f" {_contents(rows, done.fetched.files)}. 'hausbote run' starts it; what was changed since,"
        " such as passwords and devices that were logged out, is as it was then."
    )
    if settings is not None:
        click.echo(
            "What was here before is kept until it has started; 'hausbote backup restore --undo'"
            " puts it back."
        )


def _source(
    state: Path,
    settings: Settings | None,
    *,
    repository: str | None,
    password_file: Path | None,
    environment: Path | None,
    damaged: bool,
) -> restoring.Source:
    del damaged
    own = "" if settings is None else settings.backup.repository
    place = repository or own
    if not place:
        raise Problem("Where are the backups? Name the place by --repository.")
    places = Places(state / "backup")
    if password_file is None and place == own and places.password.exists():
        password_file = places.password
    if password_file is not None:
        password = _read_password(password_file)
    elif sys.stdin.isatty():
        password = click.prompt("Password of the repository", hide_input=True).strip()
    else:
        raise Problem("The repository has a password: name a file with it by --password-file.")
    return restoring.Source(place, password, environment or places.environment)


def _refuse_running(settings: Settings) -> None:
    """Also services in containers, and those that still end after their supervisor was killed."""
    names = ours(settings)
    held = any(holder_says(settings.bus_dir, name) is not None for name in names)
    answering = (query_status(settings.bus_dir, name) for name in names)
    if held or processes(settings) is not None or any(one is not None for one in answering):
        raise Problem(f"The box in {settings.state} runs: stop it first.")


def _refuse_foreign_directory(state: Path, settings: Settings | None) -> None:
    if settings is None and set(os.listdir(state)) - {"box.lock", "restore", "run", "log"}:
        raise Problem(f"{state} is not empty, and is no box.")


def _ask(settings: Settings, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem("Nothing was restored: there is no terminal to ask. --yes does not ask.")
    click.confirm(f"Put a backup in the place of the box for {settings.domain}?", abort=True)


def _read_password(path: Path) -> str:
    try:
        password = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"The password in {path} cannot be read: {error}.") from None
    if not password:
        raise Problem(f"There is no password in {path}.")
    return password


def _contents(rows: dict[str, int], files: int) -> str:
    messages = rows.get("archived_message", 0) + rows.get("room_message", 0)
    return f"{rows.get('account', 0)} accounts, {messages} messages and {files} files"


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
