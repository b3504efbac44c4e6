"""hausbote status: how the box is."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from hausbote.base.backup_record import read_record
from hausbote.base.backup_record import state as backup_state
from hausbote.base.believed_clock import DOUBTED
from hausbote.base.files import free_bytes
from hausbote.base.locks import RUNNING, holder_says
from hausbote.base.memory import memory_of
from hausbote.base.services import BY_NAME, SERVICES
from hausbote.base.settings import Settings
from hausbote.cli.certificate_news import certificate_sentences
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, state_option
from hausbote.cli.storage_check import storage_troubles
from hausbote.cli.supervision import processes
from hausbote.core.bus.control import query_status
from hausbote.storage import path_of
from hausbote.xmpp.expat import advice, outdated

NOT_SERVING = 1  # exit codes: some service does not serve, ...
NOT_RUNNING = 3  # ... and the one that init systems use for a box that does not run
_COLUMNS = ("service", "state", "uptime", "memory", "sessions", "handled")


@click.command("status")
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--only", type=click.Choice([one.name for one in SERVICES]), help="One service.")
def command(state: Path, as_json: bool, only: str | None) -> None:
    """Tell for each service: state, uptime, memory, sessions, messages handled.

    Ends with 0 if all of them serve, 1 if one does not, 3 if the box does not run.
    """
    settings = load_settings(state)
    services = describe(settings)
    if services is None:
        raise Problem(f"The box in {state} is not running.", code=NOT_RUNNING)
    if only is not None:
        services = [one for one in services if one["service"] == only]
        if not services:
            raise Problem(f"This box runs without {only}.", code=NOT_RUNNING)
    if as_json:
        click.echo(json.dumps(services, indent=2))
    else:
        _print(settings, services)
    if not all(one["serving"] for one in services):
        sys.exit(NOT_SERVING)


def _print(settings: Settings, services: list[dict[str, Any]]) -> None:
    rows = [_COLUMNS, *[tuple(_shown(one, column) for column in _COLUMNS) for one in services]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        click.echo("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    for one in services:
        if not one["serving"]:
            click.echo(_trouble(settings, one))
    for one in services:
        if one["front_refused"]:
            click.echo(
                f"{one['service']} refused {one['front_refused']} connections at its front's socket"
                " that did not begin as the front's do."
            )
    if old := outdated():
        click.echo(advice(old))
    if any(one["clock_doubted"] for one in services):
        click.echo(DOUBTED)
    for one in services:
        if one["out_of_files"]:
            click.echo(
                f"{one['service']} has used up its descriptors and lets nobody in:"
                " raise the limit of open files (ulimit -n)."
            )
    if any(one["disk_full"] for one in services):
        free = free_bytes(path_of(settings.database_url).parent)
        click.echo(
            f"The disk is nearly full, with {free >> 20} MB left: what would have to be kept is"
            " refused. See 'hausbote usage' and 'hausbote purge'."
        )
    for one in services:
        if one["store_failed"]:
            click.echo(_store_problem(one))
    for trouble in storage_troubles(settings):
        click.echo(trouble.told)
    for sentence in certificate_sentences(settings):
        click.echo(sentence)
    if told := backup_state(read_record(settings.backup_dir), settings.backup, time.time()):
        click.echo(told)


def _trouble(settings: Settings, service: dict[str, Any]) -> str:
    """The sentence for a service that does not serve."""
    name, log_file = service["service"], settings.log_dir / f"{service['service']}.log"
    if service["says"] is not None:
        return str(service["says"])
    last_words = f" Its last words are in {log_file}." if BY_NAME[name].is_ours else ""
    match service["state"]:
        case "running":
            return f"{name} runs, but does not answer."
        case "starting":
            return f"{name} was started and does not answer yet."
        case "fatal":
            return f"{name} ends as soon as it starts; it is tried again and again.{last_words}"
        case "backoff" | "exited":
            return f"{name} ended and is being started again.{last_words}"
        case state:
            return f"{name} does not serve: it is {state}."


def describe(settings: Settings) -> list[dict[str, Any]] | None:
    """One dictionary per service, None if the box does not run."""
    running = None if settings.is_split else processes(settings)
    if running is not None:
        return [_supervised(settings, process) for process in running]
    said = {
        one.name: holder_says(settings.bus_dir, one.name)
        for one in SERVICES
        if one.is_wanted(settings)
    }
    if all(text is None for text in said.values()):
        return None
    return [_contained(settings, name, text) for name, text in said.items()]


def _supervised(settings: Settings, process: dict[str, Any]) -> dict[str, Any]:
    """One of those that a supervisor in reach runs."""
    name, state, pid = process["name"], process["statename"].lower(), process["pid"]
    answer = _ask(settings, name)
    serving = answer.get("pid") == pid if BY_NAME[name].is_ours else state == "running"
    if state == "starting" and serving:
        state = "running"  # the supervisor waits some seconds more before it believes it
    memory = {} if "memory" in answer else {"memory": memory_of(pid)}
    return _service(name, state, serving, {**answer, **memory, "pid": pid})


def _contained(settings: Settings, name: str, said: str | None) -> dict[str, Any]:
    """One in a container of its own, of which its lock tells."""
    answer = _ask(settings, name)
    serving = bool(answer) if BY_NAME[name].is_ours else said == RUNNING
    if serving:
        return _service(name, "running", True, answer)
    if said is None:
        return _service(name, "stopped", False, answer, f"{name} is not running.")
    if said in ("", RUNNING):
        return _service(name, "running", False, answer, f"{name} runs, but does not answer.")
    return _service(name, "waiting", False, answer, said)


def _ask(settings: Settings, name: str) -> dict[str, object]:
    on_bus = BY_NAME[name].is_ours
    return (query_status(settings.bus_dir, name) if on_bus else None) or {}


def _service(
    name: str, state: str, serving: bool, answer: dict[str, object], says: str | None = None
) -> dict[str, Any]:
    return {
        "service": name,
        "state": state,
        "serving": serving,
        "says": says,
        "pid": answer.get("pid"),
        "uptime": answer.get("uptime"),
        "memory": answer.get("memory"),
        "sessions": answer.get("sessions"),
        "handled": answer.get("handled"),
        "clock_doubted": answer.get("clock_doubted"),
        "out_of_files": answer.get("out_of_files"),
        "front_refused": answer.get("front_refused"),
        "disk_full": answer.get("disk_full"),
        "store_failed": answer.get("store_failed") or None,
    }


def _store_problem(service: dict[str, Any]) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(service["store_failed"]))
    return (
        f"{service['service']} cannot write the database since {since}: check the disk and its free"
        " space. People are told that what they send is not kept."
    )


def _shown(service: dict[str, Any], column: str) -> str:
    value = service[column]
    if value is None:
        return "-"
    if column == "memory":
        return f"{value / 1e6:.1f} MB"
    if column == "uptime":
        hours, seconds = divmod(int(value), 3600)
        return f"{hours}:{seconds // 60:02}:{seconds % 60:02}"
    return str(value)
