"""python -m hausbote.health --state DIR: looks at everything that it is time to look at.

Writes what it found as JSON to its standard output (`base/troubles.py`), for a disk that has failed
takes no file any more.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Final

from hausbote.base.log import bug
from hausbote.base.parent import end_with_parent
from hausbote.base.settings import Settings, SettingsError
from hausbote.base.troubles import Trouble, to_json
from hausbote.health.look import brought_up_to_date, looked_at, troubles_of
from hausbote.health.record import read_record, write_record

_NICENESS: Final = 19  # all else goes first, also at the disk, which goes by it (ionice(1))


def main() -> int:
    end_with_parent()
    parser = argparse.ArgumentParser(prog="hausbote.health")
    parser.add_argument("--state", type=Path, required=True)
    os.nice(_NICENESS)
    try:
        troubles = _look(Settings.load(parser.parse_args().state))
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    except Exception as fault:  # noqa: BLE001 - a traceback could name what is nobody's business
        bug(fault)
        return 1
    print(json.dumps(to_json(troubles)))
    return 0


def _look(settings: Settings) -> list[Trouble]:
    record = brought_up_to_date(settings, read_record(settings.health_dir), time.time())
    with contextlib.suppress(OSError):  # which is among what is told then
        write_record(settings.health_dir, record)
    return troubles_of(looked_at(settings, record))


if __name__ == "__main__":
    sys.exit(main())
