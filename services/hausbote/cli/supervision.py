"""The supervisor of a box: which services it runs, and what it says of them."""

import http.client
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from hausbote import net
from hausbote.backup.in_container import PROGRAM as BACKUPS
from hausbote.base.backup_due import CREATE
from hausbote.base.container_supervisor import EXTENSIONS
from hausbote.base.files import replace_text
from hausbote.base.parent import PARENT
from hausbote.base.services import BY_NAME, SERVICES, Service
from hausbote.base.settings import Settings
from hausbote.base.short_path import short_path
from hausbote.cli.haproxy import configuration as front_configuration
from hausbote.turn.coturn import configuration
from hausbote.turn.in_container import PROGRAM as RELAY_CONFIG
from hausbote.turn.place import place
from hausbote.turn.secrets import secrets_of

CONFIG: Final = "supervisord.conf"
PID: Final = "supervisor.pid"
_PATIENCE: Final = 15  # seconds that a service may take to end, ...
_SHORT_PATIENCE: Final = 8  # ... and in a container, which the engine gives ten
_OPENSSL: Final = Path(net.__file__).with_name("openssl.cnf")

_HEAD: Final = f"""\
[supervisord]
nodaemon = true
silent = true
{{log}}
pidfile = {PID}
"""
_CALLS: Final = """
[unix_http_server]
file = /proc/self/cwd/supervisor.sock
chmod = 0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
_LOG: Final = "logfile = ../log/supervisor.log\nlogfile_maxbytes = 1MB\nlogfile_backups = 2"
_NO_LOG: Final = "logfile = /dev/null\nlogfile_maxbytes = 0"
# In a container, services write to its screen, nobody calls the supervisor, and extensions do what
# `hausbote run` does elsewhere.
_SCREEN: Final = "stdout_logfile = /dev/fd/1\nstdout_logfile_maxbytes = 0"
_NOW_AND_THEN: Final = f"""
[program:{{program}}]
command = %(ENV_HAUSBOTE_PYTHON)s -m {{command}}
autostart = false
autorestart = false
startsecs = 0
stopwaitsecs = {_SHORT_PATIENCE}
redirect_stderr = true
{_SCREEN}
"""
# startsecs: a service that cannot start may need some seconds to find out, on a small machine, and
# must not be started again and again without a pause.
_PROGRAM: Final = """
[program:{service}]
command = %(ENV_HAUSBOTE_PYTHON)s -m {command}
priority = {priority}
autorestart = true
startsecs = 10
startretries = 3
stopwaitsecs = {patience}
redirect_stderr = true
{log}
"""
_FILES: Final = """\
stdout_logfile = ../log/{service}.log
stdout_logfile_maxbytes = 5MB
stdout_logfile_backups = 2"""
# Programs of others log nothing, or why they do not start: they would name everybody's addresses.
_FOREIGN: Final = """
[program:{service}]
command = %(ENV_HAUSBOTE_PYTHON)s -m hausbote.base.parent {command}
priority = {priority}
autorestart = true
startsecs = 1
startretries = 3
stopwaitsecs = 5
redirect_stderr = true
{log}
"""
# What follows the name of another maker's program, and where what it says goes.
_ARGUMENTS: Final = {"relay": "-c relay.conf", "front": "-db -f front.conf"}
_NOWHERE: Final = "stdout_logfile = /dev/null\nstdout_logfile_maxbytes = 0"
_FRONT_FILE: Final = """\
stdout_logfile = ../log/front.log
stdout_logfile_maxbytes = 1MB
stdout_logfile_backups = 1"""
_LOGS: Final = {"relay": _NOWHERE, "front": _FRONT_FILE}
_LOGS_ALONE: Final = {"relay": _NOWHERE, "front": _SCREEN}


def write_config(settings: Settings, only: Sequence[str] = ()) -> Path:
    """Write supervisord.conf into the supervisor's directory, for `only` these or all services.

    The supervisor runs in that directory and reaches its socket through /proc/self/cwd: a Unix
    socket's path must be short, and the supervisor makes relative ones absolute.
    """
    chosen = [one for one in programs(settings) if not only or one.name in only]
    for service in chosen:
        if service.name in _PREPARE:
            _PREPARE[service.name](settings)
    path = settings.run_dir / CONFIG
    head = _HEAD.format(log=_NO_LOG if only else _LOG) + ("" if only else _CALLS)
    parts = [_program(service, is_alone=bool(only)) for service in chosen]
    if only:
        parts += [
            _NOW_AND_THEN.format(program=one.program, command=one.command)
            for one in _extensions(chosen)
        ]
    replace_text(path, "".join([head, *parts]))
    return path


class _Extension(NamedTuple):
    """Of a container's supervisor: its module, and the program that it starts when it is time."""

    module: str
    program: str
    command: str


def _extensions(services: Sequence[Service]) -> Iterator[_Extension]:
    """Those of the container of these services."""
    box = "--state %(ENV_HAUSBOTE_BOX)s"
    if any(one.backups for one in services):
        command = f"hausbote.cli {box} {' '.join(CREATE)}"
        yield _Extension("hausbote.backup.in_container", BACKUPS, command)
    if any(one.name == "relay" for one in services):
        command = f"hausbote.turn.configure {box}"
        yield _Extension("hausbote.turn.in_container", RELAY_CONFIG, command)


def programs(settings: Settings) -> list[Service]:
    """What the supervisor runs: what the settings want, and of others' programs what is there."""
    return [
        one for one in SERVICES if one.is_wanted(settings) and (one.is_ours or found(one.program))
    ]


def found(program: str) -> str | None:
    """Where another maker's program is; not everybody looks where Debian has those of services."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _program(service: Service, *, is_alone: bool) -> str:
    """Its section of the supervisor's configuration."""
    name, priority = service.name, service.stop_order
    if service.is_ours:
        command = f"hausbote.{name} --state %(ENV_HAUSBOTE_BOX)s"
        patience = _SHORT_PATIENCE if is_alone else _PATIENCE
        log = _SCREEN if is_alone else _FILES.format(service=name)
        return _PROGRAM.format(
            service=name, command=command, priority=priority, patience=patience, log=log
        )
    command = f"%(ENV_HAUSBOTE_{name.upper()})s {_ARGUMENTS[name]}"
    log = (_LOGS_ALONE if is_alone else _LOGS)[name]
    return _FOREIGN.format(service=name, command=command, priority=priority, log=log)


def _prepare_relay(settings: Settings) -> None:
    """Anew at every start: the box may stand somewhere else now."""
    secrets_of(settings).make(time.time())
    replace_text(settings.relay_config, configuration(settings, place(settings)))


def _prepare_front(settings: Settings) -> None:
    replace_text(settings.front_config, front_configuration(settings))


# What is written before another maker's program is started.
_PREPARE: Final[dict[str, Callable[[Settings], None]]] = {
    "relay": _prepare_relay,
    "front": _prepare_front,
}


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """The supervisor with all services, in the foreground; it ends with this process."""
    command = [sys.executable, "-m", "hausbote.base.parent", *_supervisor()]
    return subprocess.Popen(command, cwd=settings.run_dir, env=_environment(settings))


def become(settings: Settings, names: Sequence[str], more: dict[str, str]) -> NoReturn:
    """Let this process be the supervisor of these services, with `more` in its environment."""
    os.chdir(settings.run_dir)
    own = [one.module for one in _extensions([BY_NAME[name] for name in names])]
    more = more | {EXTENSIONS: " ".join(["hausbote.base.container_watch", *own])}
    command = _supervisor("hausbote.base.container_supervisor")
    os.execve(command[0], command, _environment(settings) | more)  # noqa: S606 - ours


def _supervisor(module: str = "supervisor.supervisord") -> list[str]:
    user = ["-u", "root"] if os.getuid() == 0 else []
    return [sys.executable, "-m", module, "-c", CONFIG, *user]


def _environment(settings: Settings) -> dict[str, str]:
    """Paths come through it: in the file, half of the punctuation would mean something."""
    paths = {
        PARENT: str(os.getpid()),
        "HAUSBOTE_PYTHON": shlex.quote(sys.executable),
        "HAUSBOTE_BOX": shlex.quote(str(settings.state)),
        **{f"HAUSBOTE_{name.upper()}": path for name, path in _foreign(settings).items()},
        # One thread does the work, so one heap will do: 5 KB less for each idle connection.
        "MALLOC_ARENA_MAX": "1",
        "OPENSSL_CONF": str(_OPENSSL),
    }
    return os.environ | paths


def _foreign(settings: Settings) -> dict[str, str]:
    """Where the programs of others are."""
    return {
        one.name: shlex.quote(found(one.program) or one.program)
        for one in programs(settings)
        if not one.is_ours
    }


def processes(settings: Settings) -> list[dict[str, Any]] | None:
    """What the supervisor says of each service; None if it does not run."""
    found: Any = _ask(settings, "getAllProcessInfo")
    return None if found is None else list(found)


def is_shutting_down(settings: Settings) -> bool:
    """Whether a supervisor runs that is about to end."""
    state: Any = _ask(settings, "getState")
    return state is not None and state["statename"] == "SHUTDOWN"


def start_again(settings: Settings, service: str) -> None:
    """Let the supervisor try anew with a service that it has given up."""
    _ask(settings, "startProcess", service, False)


def send_signal(settings: Settings, service: str, name: str) -> None:
    """Send a service that runs a signal, TERM say; the supervisor starts it again if it ends."""
    _ask(settings, "signalProcess", service, name)


def _ask(settings: Settings, method: str, *arguments: object) -> Any:
    """What a method of the supervisor returns; None if it does not run, or refuses."""
    proxy = xmlrpc.client.ServerProxy("http://box", transport=_UnixTransport(settings.run_dir))
    try:
        return getattr(proxy.supervisor, method)(*arguments)
    except (OSError, xmlrpc.client.Error, http.client.HTTPException):
        return None


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, run_dir: Path) -> None:
        super().__init__()
        self._run_dir = run_dir

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._run_dir)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, run_dir: Path) -> None:
        super().__init__("box", timeout=5)
        self._run_dir = run_dir

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short_path(self._run_dir, "supervisor") as path:
            self.sock.connect(path)
