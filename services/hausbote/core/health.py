"""python -m hausbote.core.health SERVICE: what the engine asks a container now and then.

Ends with 0 if the service serves, else with 1 and a sentence.  It is asked often, in every
container, so it imports next to nothing: `hausbote status --only SERVICE` says the same to people.
"""

import os
import sys
from pathlib import Path
from typing import Final

from hausbote.base.locks import RUNNING, holder_says
from hausbote.base.services import BY_NAME
from hausbote.core.bus.control import query_status

RUN_DIR: Final = "HAUSBOTE_RUN_DIR"  # in the environment: the container's own directory
BUS: Final = "bus"  # in there: a link to the directory of sockets and locks
WAITING: Final = "waiting"  # and a file with what the container waits for before it starts anything
IDLE: Final = "idle"  # or why it has nothing to do, which is no trouble


def trouble(run_dir: Path, service: str) -> str:
    """What is wrong with a service of this container; "" if it serves, or is not wanted."""
    if (run_dir / IDLE).exists():
        return ""
    try:
        return (run_dir / WAITING).read_text("utf-8")
    except OSError:
        pass
    said = holder_says(run_dir / BUS, service)
    if said is None:
        return f"{service} is not running."
    if BY_NAME[service].is_ours:
        if query_status(run_dir / BUS, service) is not None:
            return ""
        return f"{service} does not answer." if said in ("", RUNNING) else said
    return "" if said == RUNNING else said or f"{service} was started just now."


def main(service: str) -> int:
    found = trouble(Path(os.environ[RUN_DIR]), service)
    if found:
        print(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
