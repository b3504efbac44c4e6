"""--state for every command, and what commands read from there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from hausbote.backup import swap, upgrading
from hausbote.base.settings import Settings, SettingsError
from hausbote.base.trial import is_conducted, is_trial
from hausbote.cli.problem import Problem
from hausbote.storage import StorageError, Store, bounds_of, migrate, open_store

F = TypeVar("F", bound=Callable[..., Any])


def _chosen(context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    return value if value is not None else context.find_root().obj


state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    callback=_chosen,
    help="Directory of the box (also before the command).",
)


def load_settings(state: Path) -> Settings:
    """The box's settings; Problem with everything that is wrong with them."""
    if swap.is_half_done(state):
        raise Problem(
            f"A restore in {state} was cut off: 'hausbote run' finishes it, and starts the box."
        )
    if not is_trial() and (is_conducted(state) or upgrading.is_unfinished(state)):
        raise Problem(
            f"An upgrade is just being tried in {state}; if that was cut off, the next start takes"
            " it back."
        )
    try:
        return Settings.load(state)
    except SettingsError as error:
        raise Problem(*error.problems) from None


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The box's store, made or brought up to date if need be.

    In containers that is c2s' business: other services may still run with an older version.
    """
    try:
        if not settings.is_split:
            migrate(settings.database_url, settings.database_mark)
        store = open_store(settings.database_url, bounds=bounds_of(settings))
    except (StorageError, OSError) as error:
        raise Problem(str(error)) from None
    try:
        yield store
    except StorageError as error:
        raise Problem(str(error)) from None
    finally:
        store.close()
