"""hausbote check store: whether all of the database can be read."""

import click

from hausbote.base.settings import Settings
from hausbote.cli.problem import Problem
from hausbote.storage import all_damage, path_of


def check_store(settings: Settings) -> None:
    """Tell that all is well, or Problem with a sentence for everything that is not."""
    path = path_of(settings.database_url)
    if not path.exists():
        raise Problem(f"There is no database {path}.")
    damage = list(all_damage(path))
    if damage:
        raise Problem(
            *damage,
            "What is left out is in a backup, if you have one; a damaged file should be replaced by"
            " it, and its disk be looked at.",
        )
    click.echo(f"{path} is sound: all of it can be read.")
