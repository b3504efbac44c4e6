"""python -m hausbote.turn.configure --state DIR: writes coturn's configuration anew if it is not
true any more.

The container of the relay runs it when the box has another address or network: `in_container.py`.
"""

import argparse
import sys
from pathlib import Path

from hausbote.base.log import set_level
from hausbote.base.parent import end_with_parent
from hausbote.base.settings import Settings, SettingsError
from hausbote.turn.keeper import keep_true, wanted


def main() -> None:
    end_with_parent()
    parser = argparse.ArgumentParser(prog="hausbote.turn.configure")
    parser.add_argument("--state", type=Path, required=True)
    try:
        settings = Settings.load(parser.parse_args().state)
        set_level(settings.log.level)
        keep_true(settings, wanted(settings))
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    except OSError as error:
        sys.exit(f"The configuration of the relay could not be written: {error}")


if __name__ == "__main__":
    main()
