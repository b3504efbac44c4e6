"""Where everything of the backups is: DIR/backup."""

from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
    """Files and directories in `directory`, which is DIR/backup or has the same in it."""

    directory: Path

    @property
    def password(self) -> Path:
        """What opens the repository."""
        return self.directory / "password"

    @property
    def environment(self) -> Path:
        """NAME=VALUE lines that restic needs to reach it, if any."""
        return self.directory / "environment"

    @property
    def repository(self) -> Path:
        """The id of the repository that is used."""
        return self.directory / "repository"

    @property
    def lock(self) -> Path:
        """Held by who uses the repository."""
        return self.directory / "lock"

    @property
    def cache(self) -> Path:
        """What restic keeps of a repository on another machine."""
        return self.directory / "cache"

    @property
    def work(self) -> Path:
        """restic's temporary files."""
        return self.directory / "work"

    @property
    def scratch(self) -> Path:
        """A backup that is restored for a trial."""
        return self.directory / "scratch"

    @property
    def box(self) -> Path:
        """The copy that a backup is made of."""
        return self.directory / "box"

    @property
    def manifest(self) -> Path:
        """What is in that copy."""
        return self.directory / "manifest.json"
