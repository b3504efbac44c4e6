"""What the container of the relay does inside its supervisor: when the box has another address or
stands in another network, coturn's configuration is written anew, and coturn started anew.

Where there are no containers, `turn` does both; in its own it has no network to look at.  An
extension of `base/container_supervisor.py`.  To compare the file takes all of the settings, so
`configure.py` does that, a process of the supervisor's, which starts none of these by itself.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any, Final

from supervisor import events
from supervisor.states import RUNNING_STATES, ProcessStates, SupervisorStates

from hausbote.base.trial import TRIAL
from hausbote.turn.place import Configured, Place

RELAY: Final = "HAUSBOTE_RELAY_PLACE"  # in the environment: JSON, the parameters of Following
PROGRAM: Final = "relay-config"  # of the supervisor
# In other states coturn reads the file when it is started next.
_RUNS: Final = (ProcessStates.STARTING, ProcessStates.RUNNING)


class Following:
    """`find` every minute, and `look` every few seconds; `file` is coturn's configuration."""

    def __init__(self, file: str, configured: list[str]) -> None:
        self._file = Path(file)
        self._configured = Configured(*configured)
        self._finder = threading.Thread()  # one at a time
        self._found: Place | None = None
        self._compared: Place | None = None  # with what the file says
        self._written = 0  # when the file was, before it was compared
        self._is_comparing = False
        self._is_stopping = False  # coturn is told to end, and started then

    def find(self) -> None:
        """Where the relay stands now.  DNS may take long, and the supervisor does not wait."""
        if not self._finder.is_alive():
            self._finder = threading.Thread(target=self._find, daemon=True)
            self._finder.start()

    def _find(self) -> None:
        place = self._configured.place()
        if place.certain:
            self._found = place

    def look(self, relay: Any, program: Any) -> None:
        """Go on with what is to be done; both are the supervisor's processes."""
        if self._is_stopping:
            if relay.get_state() == ProcessStates.STOPPED:
                self._is_stopping = False
                relay.spawn()
        elif program.get_state() in RUNNING_STATES:
            return
        elif self._is_comparing:
            self._is_comparing = False
            self._see(relay, program.exitstatus)
        elif self._found != self._compared:
            self._compared, self._written = self._found, self._file.stat().st_mtime_ns
            self._is_comparing = True
            program.spawn()

    def _see(self, relay: Any, code: int | None) -> None:
        if code != 0:
            self._found = self._compared = None  # once more in a minute
        elif self._file.stat().st_mtime_ns != self._written and relay.get_state() in _RUNS:
            self._is_stopping = True
            relay.stop()


def extend(supervisord: Any) -> None:
    """Be called from now on."""
    if os.environ.get(TRIAL):
        return  # what is only tried has no network
    following = Following(**json.loads(os.environ[RELAY]))
    relay, program = (
        supervisord.process_groups[name].processes[name] for name in ("relay", PROGRAM)
    )

    def look(_event: object) -> None:
        if supervisord.options.mood == SupervisorStates.RUNNING:
            following.look(relay, program)

    events.subscribe(events.Tick60Event, lambda _: following.find())
    events.subscribe(events.Tick5Event, look)
