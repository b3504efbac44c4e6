"""What the owner asks `hausbote run` for, on a disk that fails."""

from types import SimpleNamespace

from hausbote.base.owner_tasks import BACKUP, ask_for, asked_for
from hausbote.cli.owner_tasks import OwnerTasks


class Schedule:
    made = 0

    def make_one_now(self):
        self.made += 1


def tasks(run_dir, schedule):
    return OwnerTasks(SimpleNamespace(run_dir=run_dir), None, schedule)


def test_what_is_asked_for_is_done_once(tmp_path):
    schedule = Schedule()
    owner = tasks(tmp_path, schedule)
    ask_for(tmp_path, BACKUP)
    for _ in range(2):
        owner.look([])
    assert (schedule.made, asked_for(tmp_path)) == (1, [])


def test_what_cannot_be_taken_away_is_not_done_for_ever_and_stops_nothing(tmp_path):
    """A directory is no file, so it cannot be removed as one: as on a disk that became read-only."""
    schedule = Schedule()
    (tmp_path / "tasks" / BACKUP).mkdir(parents=True)
    owner = tasks(tmp_path, schedule)
    for _ in range(2):
        owner.look([])
    assert schedule.made == 0


def test_a_directory_that_cannot_be_read_has_no_tasks(tmp_path):
    (tmp_path / "tasks").touch()
    tasks(tmp_path, Schedule()).look([])
