"""What is looked at before a box starts, whichever way it is started."""

from typing import Final

from hausbote.base.settings import Settings
from hausbote.cli.problem import Problem
from hausbote.storage import path_of, quick_damage

_QUICK_CHECK: Final = 5.0  # seconds that a look at the database may take at start


def refuse_damage(settings: Settings) -> None:
    """What is written into a damaged file can be lost, though it was acknowledged."""
    path = path_of(settings.database_url)
    damage = quick_damage(path, _QUICK_CHECK) if path.exists() else ""
    if damage:
        raise Problem(
            f"The database {path} is damaged: {damage}.",
            "'hausbote check store' tells what else is. Put a backup in its place; or 'hausbote run"
            " --damaged' starts the box as it is, and more may be lost.",
        )
