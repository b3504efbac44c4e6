"""python -m hausbote.cli.settings_docs: prints docs/settings.md."""

import sys

from hausbote.cli.settings_text import settings_page

if __name__ == "__main__":
    sys.stdout.write(settings_page())
