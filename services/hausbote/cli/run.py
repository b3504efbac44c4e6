"""hausbote run: all services of the box, in the foreground."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import click

from hausbote.backup.errors import BackupError
from hausbote.backup.restoring import box_in_use
from hausbote.backup.swap import forget_previous
from hausbote.base.locks import ServiceLock, holder_says
from hausbote.base.services import SERVICES, ours
from hausbote.base.settings import Settings
from hausbote.cli import preflight
from hausbote.cli.backup_schedule import Schedule
from hausbote.cli.certificate_news import CertificateNews
from hausbote.cli.granting import are_wishes, grant, refusal
from hausbote.cli.next_steps import what_next
from hausbote.cli.only import run_only
from hausbote.cli.own_certificate import OwnCertificate, keep_own_certificate
from hausbote.cli.owner_tasks import OwnerTasks
from hausbote.cli.problem import Problem
from hausbote.cli.run_checks import refuse_damage
from hausbote.cli.state import load_settings, state_option
from hausbote.cli.supervision import (
    PID,
    is_shutting_down,
    processes,
    start,
    write_config,
)
from hausbote.cli.watch import Watch
from hausbote.core.bus.control import query_status
from hausbote.storage import Reserve, StorageError, make_way, migrate, path_of

_START_TIME: Final = 30.0  # seconds
_LAST_LINES: Final = 5
_LAST_END: Final = 20.0  # seconds; a service gets 15 to end
_LOOK: Final = 2  # seconds between two looks at the services


@click.command("run")
@state_option
@click.option("--damaged", is_flag=True, help="Also with a database that is damaged.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([one.name for one in SERVICES]),
    help="Only this service, as a container does; may be given several times.",
)
def command(state: Path, damaged: bool, only: tuple[str, ...]) -> None:
    """Start every service of the box, and stop them with Ctrl-C."""
    if only:
        run_only(state, only, damaged=damaged)
    try:
        with box_in_use(state) if _can_be_locked(state) else nullcontext("") as recovered:
            if recovered:
                click.echo(recovered)
            while _run(state, damaged=damaged):
                pass
    except BackupError as error:
        raise Problem(str(error)) from None


def _can_be_locked(state: Path) -> bool:
    """What else is wrong with the directory is told in its place."""
    return state.is_dir() and os.access(state, os.W_OK)


def _run(state: Path, *, damaged: bool) -> bool:
    """Until the services end; whether they shall be started again, with other settings."""
    settings = load_settings(state)
    _let_the_last_end(settings)
    if processes(settings) is not None:
        raise Problem(f"The box in {state} is running already.")
    for service in SERVICES:
        if holder_says(settings.bus_dir, service.name) is not None:
            raise Problem(f"{service.name} of the box in {state} runs already, in a container.")
    keep_own_certificate(settings)  # first: the domain may be another one now
    in_the_way = list(preflight.problems(settings))
    if in_the_way:
        raise Problem(*in_the_way)
    locks = _prepare(settings, damaged=damaged)
    disk = Reserve(path_of(settings.database_url), settings.disk.reserve_bytes)
    child = start(settings)
    told_to_stop: list[int] = []

    def stop(number: int, _frame: object) -> None:
        told_to_stop.append(number)
        _ask_to_stop(child)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    silent = _wait_until_ready(settings, child)
    if silent:
        _ask_to_stop(child)
    elif child.poll() is None:
        if disk.is_low:
            click.echo(_full(disk))
        click.echo(what_next(settings, state))
        if forget_previous(state):
            click.echo(
                "The box was restored and has started: what was kept from before is removed."
            )
    code, wished = _wait_for(settings, child)
    disk.restore_a_little()
    for lock in locks:
        lock.give_up()
    if silent:
        raise Problem(*_last_words(settings, silent))
    if code:
        raise Problem(f"The supervisor ended with code {code}; see {settings.log_dir}.")
    if wished:
        try:
            click.echo(grant(settings))
        except OSError as error:
            raise Problem(f"{error.filename} cannot be removed: {error.strerror}") from None
    return wished and not told_to_stop


def _full(disk: Reserve) -> str:
    return (
        f"The disk is nearly full: {disk.free >> 20} MB are left, {disk.size >> 20} are reserved."
        " What would have to be kept is refused.\n"
        "'hausbote usage' tells what fills it, 'hausbote purge' what could be deleted."
    )


def _prepare(settings: Settings, *, damaged: bool) -> list[ServiceLock]:
    """Nothing here needs room on the disk if it was done before."""
    make_way(path_of(settings.database_url))
    for directory in (settings.run_dir, settings.bus_dir, settings.log_dir):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    locks = list(_locks(settings))
    try:
        if not damaged:
            refuse_damage(settings)
        before, now = migrate(settings.database_url, settings.database_mark)
    except (StorageError, OSError) as error:
        raise Problem(str(error)) from None
    if before != now:
        click.echo(
            f"The database went from version {before} to {now}; a copy of before is kept, to which"
            " 'hausbote upgrade undo' of the older Hausbote goes back."
        )
    write_config(settings)
    return locks


def _locks(settings: Settings) -> Iterator[ServiceLock]:
    """Of all services, so that no containers start with the same state directory."""
    for service in SERVICES:
        lock = ServiceLock.take(settings.bus_dir, service.name)
        if lock is None:
            raise Problem(f"{service.name} runs already with {settings.state}, in a container.")
        yield lock


def _let_the_last_end(settings: Settings) -> None:
    """Wait for services whose supervisor was killed: they stop, and hold their ports until then."""
    deadline = time.monotonic() + _LAST_END
    told = False
    while _is_ending(settings) and time.monotonic() < deadline:
        if not told:
            click.echo("Services of the last run are still ending; they are waited for.")
            told = True
        time.sleep(0.2)


def _is_ending(settings: Settings) -> bool:
    if not (settings.run_dir / PID).exists():
        return False  # it was removed by a supervisor that has ended all of its services
    if is_shutting_down(settings):
        return True
    names = ours(settings)
    return processes(settings) is None and any(
        query_status(settings.bus_dir, name) is not None for name in names
    )


def _wait_for(settings: Settings, child: subprocess.Popen[bytes]) -> tuple[int, bool]:
    """Look after the services until the supervisor ends, or is ended because other settings are
    wished for; returns its exit code, and whether that was so."""
    poll, watch = select.poll(), Watch(settings)
    schedule = Schedule(settings)
    looks = (OwnCertificate(settings), CertificateNews(settings), schedule)
    tasks = OwnerTasks(settings, watch, schedule)
    wished, told = False, ""
    descriptor = os.pidfd_open(child.pid)
    try:
        poll.register(descriptor, select.POLLIN)
        watch.look(processes(settings) or [])
        while not poll.poll(_LOOK * 1000):
            found = processes(settings) or []
            watch.look(found)
            tasks.look(found)
            for one in looks:
                one.look()
            if not wished and are_wishes(settings.state):
                why_not = refusal(settings)
                if not why_not:
                    wished = True
                    _ask_to_stop(child)  # once: the second time, the supervisor would end as it is
                elif why_not != told:  # they may be there still, if the disk fails
                    click.echo(why_not)
                told = why_not
    finally:
        os.close(descriptor)
    return child.wait(), wished


def _ask_to_stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()


def _wait_until_ready(settings: Settings, child: subprocess.Popen[bytes]) -> list[str]:
    """Wait for every service to be ready; returns those that are not, unless all are stopped."""
    begun = time.monotonic()
    deadline = begun + _START_TIME
    told: set[str] = set()
    click.echo(f"Starting {', '.join(ours(settings))} ...")
    while child.poll() is None:
        wanted = ours(settings)  # the relay is none of them: a box can do without
        found = {one["name"]: one for one in processes(settings) or () if one["name"] in wanted}
        waiting = [name for name in wanted if not _is_ready(settings, found.get(name))]
        ready = [name for name in wanted if name not in waiting and name not in told]
        if ready:
            told.update(ready)
            click.echo(_progress(ready, waiting, time.monotonic() - begun))
        fatal = any(one["statename"] == "FATAL" for one in found.values())
        if not waiting or fatal or time.monotonic() > deadline:
            return waiting
        time.sleep(0.1)
    return []


def _progress(ready: list[str], waiting: list[str], seconds: float) -> str:
    rest = f", waiting for {', '.join(waiting)}" if waiting else ": all are there"
    return f"  {seconds:.1f} s: {', '.join(ready)} {'is' if len(ready) == 1 else 'are'} ready{rest}"


def _is_ready(settings: Settings, process: dict[str, Any] | None) -> bool:
    if process is None or process["statename"] not in ("STARTING", "RUNNING"):
        return False
    answer = query_status(settings.bus_dir, process["name"])
    # What answers may be a stray process from elsewhere, and ours about to give up.
    return answer is not None and answer["pid"] == process["pid"]


def _last_words(settings: Settings, services: list[str]) -> Iterator[str]:
    for service in services:
        yield f"{service} does not start. Its last words:"
        yield from (f"  {line}" for line in _last_lines(settings.log_dir / f"{service}.log"))


def _last_lines(log: Path) -> list[str]:
    try:
        return log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
    except OSError:
        return []
