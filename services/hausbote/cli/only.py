"""hausbote run --only SERVICE: what a container does.

What keeps a service from starting is told, and tried again with pauses that grow, until it is gone:
a container that ends would be started again by its engine, with less patience and more noise.  Then
this process becomes the supervisor.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from hausbote.backup import swap
from hausbote.backup.errors import BackupError
from hausbote.backup.in_container import BOX as KEPT_BOX
from hausbote.backup.restoring import box_in_use
from hausbote.base.backup_due import Plan
from hausbote.base.container_watch import SERVICES as WATCHED
from hausbote.base.container_watch import Watched
from hausbote.base.idle import state_of
from hausbote.base.locks import MIGRATING, ServiceLock, holder_says
from hausbote.base.services import BY_NAME, SERVICES, Service
from hausbote.base.settings import FILE, RUN_DIR, Settings
from hausbote.base.trial import DIRECTORY as TRIED
from hausbote.base.trial import TRIAL, is_conducted, is_trial
from hausbote.cli import preflight
from hausbote.cli.initialise import new_box_in
from hausbote.cli.next_steps import claim_steps
from hausbote.cli.own_certificate import keep_own_certificate
from hausbote.cli.problem import Problem
from hausbote.cli.run_checks import refuse_damage
from hausbote.cli.state import load_settings
from hausbote.cli.supervision import become, programs, write_config
from hausbote.cli.waiting import Idle, Short, Waiting
from hausbote.core.health import BUS, IDLE
from hausbote.net.certificates import certificates
from hausbote.storage import NEWEST, StorageError, make_way, migrate, path_of, schema_version
from hausbote.turn.in_container import RELAY
from hausbote.turn.place import Configured

PORTAL: Final = "portal"  # whose container says how the box is claimed
MIGRATES: Final = "c2s"  # the one service that makes the box and brings its database up to date
DOMAIN: Final = "HAUSBOTE_DOMAIN"  # in the environment: the domain of a box that is not made yet


def run_only(state: Path, names: Sequence[str], *, damaged: bool) -> None:
    """Become the supervisor of these services, as soon as nothing is in the way."""
    if not os.environ.get(RUN_DIR):
        raise Problem(f"--only needs {RUN_DIR}: a directory of this container's own, in memory.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the first process has no default
    locks: dict[str, ServiceLock] = {}
    box = _BoxLock(state)
    waiting = Waiting(Path(os.environ[RUN_DIR]), locks)
    while True:
        if is_trial() and not is_conducted(state):
            raise Problem("Whoever was in charge of the upgrade is gone: there is nothing to try.")
        seen = state_of(str(state / FILE))
        try:
            _look_at_volume(state)
            box.hold()
            settings = _prepare(state, names, locks, damaged=damaged)
            box.hold()  # which may be new
            break
        except Idle as problem:
            waiting.tell(problem.sentences, IDLE)
            box.let_go()
            _be_idle(state / FILE, seen)
        except Problem as problem:
            waiting.tell(problem.sentences, is_short=isinstance(problem, Short))
        except (OSError, StorageError) as error:
            waiting.tell([_sentence(error)])
        time.sleep(waiting.pause())
    waiting.end()
    click.echo(f"Starting {', '.join(names)} for {settings.domain} ...")
    if PORTAL in names:
        for line in claim_steps(settings):
            click.echo(line)
    sys.stdout.flush()
    told = {name: _watched(settings, BY_NAME[name], locks[name]) for name in names}
    more = {
        WATCHED: json.dumps(told),
        KEPT_BOX: json.dumps(_kept(settings)),
        RELAY: json.dumps(_relay(settings)),
    }
    become(settings, names, more | ({TRIAL: str(state.absolute())} if is_trial() else {}))


def _be_idle(settings: Path, seen: str) -> NoReturn:
    """Wait for other settings than were `seen`, as a program that needs little memory for it."""
    idle = [sys.executable, "-m", "hausbote.base.idle", str(settings), seen]
    os.execv(idle[0], [*idle, sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ours


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class _BoxLock:
    """Lets nobody restore a backup here as long as the service runs: the supervisor that this
    process becomes goes on holding the lock."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._held: ExitStack | None = None

    def hold(self) -> None:
        """If there is a box.  A restore that was cut off is finished or taken back first; Problem
        while there is one."""
        if self._held is not None:
            return
        if not any((self._state / name).exists() for name in (FILE, swap.DIRECTORY, TRIED)):
            return
        stack = ExitStack()
        try:
            told = stack.enter_context(box_in_use(self._state, outlives_exec=True))
        except BackupError as error:
            raise Short(f"{error} Waiting for it.") from None
        self._held = stack
        if told:
            click.echo(told)

    def let_go(self) -> None:
        """Nothing uses the box."""
        if self._held is not None:
            self._held.close()


def _prepare(
    state: Path, names: Sequence[str], locks: dict[str, ServiceLock], *, damaged: bool
) -> Settings:
    """The settings of a box whose services can start now, their locks taken; Problem."""
    if not (state / FILE).exists():
        if MIGRATES not in names:
            raise Problem(f"There is no box in {state} yet: {MIGRATES} makes it. Waiting for it.")
        new_box_in(state, _domain(state))
    settings = load_settings(state)
    _look_at_settings(settings, names)
    for directory in (settings.run_dir, settings.bus_dir, settings.log_dir):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    bus = settings.run_dir / BUS
    bus.unlink(missing_ok=True)
    bus.symlink_to(settings.bus_dir)
    if MIGRATES in names:
        _take(settings, names, locks)
        _bring_up_to_date(settings, locks, damaged=damaged)
    else:
        _wait_for_database(settings)
        _take(settings, names, locks)
    in_the_way = list(preflight.problems(settings, names))
    if in_the_way:
        raise Problem(*in_the_way)
    write_config(settings, names)
    return settings


def _look_at_volume(state: Path) -> None:
    if not state.is_dir():
        raise Problem(f"{state} is missing: it is the volume on which the box keeps everything.")
    if os.statvfs(state).f_flag & os.ST_RDONLY:
        raise Problem(f"{state} cannot be written: the volume is read-only.")
    if not os.access(state, os.W_OK | os.X_OK):
        owner = state.stat().st_uid
        raise Problem(
            f"{state} belongs to user {owner} and cannot be written by user {os.getuid()}, as whom"
            " the services run: change the owner of the volume's directory."
        )


def _domain(state: Path) -> str:
    domain = os.environ.get(DOMAIN, "").strip()
    if not domain:
        raise Problem(
            f"There is no box in {state} yet, and {DOMAIN} is not set: write into .env for which"
            " domain it shall be, the part after the @ of everybody's address."
        )
    return domain


def _look_at_settings(settings: Settings, names: Sequence[str]) -> None:
    wanted = os.environ.get(DOMAIN, "").strip()
    if wanted and wanted.lower() not in (settings.domain, settings.ascii_domain):
        raise Problem(
            f"{DOMAIN} is {wanted}, but the box in {settings.state} is for {settings.domain}:"
            " correct .env, or give the new box a volume of its own."
        )
    there = [one.name for one in programs(settings)]
    for name in names:
        if not BY_NAME[name].is_wanted(settings):
            raise Idle(f"By its settings this box does without {name}: nothing to do here.")
        if name not in there:
            raise Problem(f"{name} needs {BY_NAME[name].package}, which is not in this image.")


def _take(settings: Settings, names: Sequence[str], locks: dict[str, ServiceLock]) -> None:
    for name in names:
        if name in locks:
            continue
        lock = ServiceLock.take(settings.bus_dir, name)
        if lock is None:
            raise Problem(
                f"Another {name} runs with {settings.state}: two boxes must not share a volume."
                " This one waits until the other is stopped."
            )
        locks[name] = lock


def _bring_up_to_date(settings: Settings, locks: dict[str, ServiceLock], *, damaged: bool) -> None:
    make_way(path_of(settings.database_url))
    if not damaged:
        refuse_damage(settings)
    version = schema_version(settings.database_url)
    old = list(_running_with_store(settings)) if 0 < version < NEWEST else []
    if old:
        raise Problem(
            f"The database goes from version {version} to {NEWEST}, but {', '.join(old)} still run"
            " with the old one: update them, too ('docker compose up -d'). Waiting for that."
        )
    if 0 < version < NEWEST:
        for lock in locks.values():
            lock.say(MIGRATING)
    before, now = migrate(settings.database_url, settings.database_mark, has_copy=is_trial())
    if before != now:
        click.echo(f"The database went from version {before} to {now}.")
    keep_own_certificate(settings)


def _running_with_store(settings: Settings) -> Iterator[str]:
    for service in SERVICES:
        uses = service.store and service.name != MIGRATES
        if uses and holder_says(settings.bus_dir, service.name) is not None:
            yield service.name


def _wait_for_database(settings: Settings) -> None:
    version = schema_version(settings.database_url)
    if version > NEWEST:
        raise Problem(
            f"The database has version {version}, and this image knows {NEWEST}: it is older than"
            " the one that wrote it. Use the newer image, or say 'hausbote upgrade undo'."
        )
    if version < NEWEST:
        raise Problem(
            f"The database has version {version}, and this image needs {NEWEST}: {MIGRATES} brings"
            " it up to date. Waiting for it."
        )


def _kept(settings: Settings) -> dict[str, Any]:
    """What the one container that looks after the box has to know."""
    return {
        "state": str(settings.state),
        "bus": str(settings.bus_dir),
        "wanted": [one.name for one in SERVICES if one.is_wanted(settings)],
        "plan": Plan.of(settings),
    }


def _relay(settings: Settings) -> dict[str, Any]:
    """What the container of the relay has to know."""
    return {"file": str(settings.relay_config), "configured": Configured.of(settings)}


def _watched(settings: Settings, service: Service, lock: ServiceLock) -> Watched:
    paths: list[str] = []
    if service.certificates:
        default, named = certificates(settings)
        for files in (default, *named.values()):
            paths += [str(files.chain), str(files.key)]
    return Watched(lock.outlive_exec(), paths, "HUP" if service.is_ours else "USR2")
