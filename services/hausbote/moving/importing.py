"""Imports what a server has exported: first all of it is looked at, then it is written account by
account, each of them whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from hausbote.base.file_locks import Held, locked
from hausbote.base.jid import JID
from hausbote.base.settings import Settings
from hausbote.moving.draft import Draft
from hausbote.moving.files import MovingError, Place, Progress, pieces
from hausbote.moving.intake import Intake, Whole
from hausbote.storage import Store
from hausbote.xmpp.sasl import HASHES

LOCK: Final = "import.lock"
Note = Callable[[Place, str], None]


class Survey(NamedTuple):
    """What files have: accounts of the box, and how many of each other host."""

    names: list[str]
    others: dict[str, int]


class Imported(NamedTuple):
    """Accounts that were made, those that were there already, and those that nobody can log in to
    before they have another password."""

    made: list[str]
    taken: list[str]
    without: list[str]


def survey(settings: Settings, files: list[Path], progress: Progress) -> Survey:
    """Look at all of it, and write nothing; MovingError at what makes the import pointless."""
    places: dict[str, Place] = {}

    def opened(own: JID, place: Place) -> None:
        if own.local in places:
            raise MovingError(f"{place}: {own} stands in {places[own.local]}, too.")
        places[own.local] = place

    intake = Intake(settings, opened, lambda _whole, _draft: None, lambda _place, _why: None)
    _read(intake, files, progress)
    return Survey(list(places), intake.others)


class Importer:
    """Writes accounts; `told` hears of each that is there now."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        note: Note,
        told: Callable[[str], None],
        *,
        admins: bool = False,
    ) -> None:
        self._settings = settings
        self._store = store
        self._note = note
        self._told = told
        self._admins = admins
        self.done = Imported([], [], [])

    def run(self, files: list[Path], progress: Progress) -> Imported:
        """Whatever ends this leaves whole accounts; a draft is deleted now or the next time.

        There is one import at a time: each deletes what others have left.
        """
        try:
            with locked(self._settings.state / LOCK):
                self._write(files, progress)
        except Held:
            raise MovingError("Another import is running in this box.") from None
        return self.done

    def _write(self, files: list[Path], progress: Progress) -> None:
        self._store.moves.clear()
        try:
            _read(Intake(self._settings, self._open, self._close, self._note), files, progress)
        finally:
            self._store.moves.clear()

    def _open(self, own: JID, _place: Place) -> Draft | None:
        if self._store.accounts.exists(own.local):
            self.done.taken.append(own.local)
            return None
        return Draft(self._store, self._settings, own)

    def _close(self, whole: Whole, draft: Draft | None) -> None:
        if draft is None:
            return
        admin = whole.admin and self._admins
        keys, created = whole.keys, whole.created
        if not draft.finish(keys, locked=whole.locked, admin=admin, created=created):
            self.done.taken.append(whole.local)
            return
        self.done.made.append(whole.local)
        if not HASHES.keys() & keys.keys():
            self.done.without.append(whole.local)
        self._told(whole.local)


def _read(intake: Intake, files: list[Path], progress: Progress) -> None:
    for file in files:
        for place, piece in pieces(file, progress):
            intake.take(place, piece)
