"""python -m hausbote.base.container_supervisor: the supervisor of a container.

It is supervisor's own, without what nobody asks for there: its HTTP server, XML-RPC, what it needs
for Python 2, and what all these need of the standard library, which is most of its memory.  There
is one in each container, so that is worth some lines.
"""

import configparser
import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, Final

EXTENSIONS: Final = "HAUSBOTE_EXTENSIONS"  # in the environment: modules, whose `extend` is called


def _as_string(text: str | bytes, encoding: str = "utf-8") -> str:
    return text if isinstance(text, str) else text.decode(encoding)


def _as_bytes(text: str | bytes, encoding: str = "utf-8") -> bytes:
    return text if isinstance(text, bytes) else text.encode(encoding)


# What stands for these modules: the names that are used of them.
_SLIM: Final[dict[str, dict[str, Any]]] = {
    "supervisor.compat": {
        "ConfigParser": configparser,
        "PY2": False,
        "StringIO": io.StringIO,
        "as_bytes": _as_bytes,
        "as_string": _as_string,
        "basestring": str,
        "import_spec": None,
        "is_text_stream": lambda stream: isinstance(stream, io.TextIOBase),
        "long": int,
        "maxint": sys.maxsize,
        "syslog": None,
        "urlparse": None,
        "xmlrpclib": None,
    },
    "supervisor.xmlrpc": {},
    "tempfile": {"gettempdir": lambda: os.curdir},  # where logs would be that a container has not
}


def main(arguments: list[str]) -> None:
    """Run services as the configuration says that is named by -c."""
    for name, names in _SLIM.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(names)
    supervisord: Any = import_module("supervisor.supervisord")

    class Options(supervisord.ServerOptions):  # type: ignore[misc]
        """Where HTTP servers would be opened, extensions begin their work."""

        def openhttpservers(self, running: object) -> None:
            for extend in _extensions():
                extend(running)

    options = Options()
    options.realize(arguments)
    options.first, options.test = True, False
    supervisord.go(options)


def _extensions() -> list[Callable[[Any], None]]:
    return [import_module(name).extend for name in os.environ[EXTENSIONS].split()]


if __name__ == "__main__":
    main(sys.argv[1:])
