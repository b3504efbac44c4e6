"""Short paths of Unix sockets: DIRECTORY/NAME.sock, however deep the directory is.

A Unix socket's path may have 107 bytes, and state directories can be deeper than that: the
directory is opened, and the socket reached through its descriptor.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def short_path(directory: str | Path, name: str) -> Iterator[str]:
    """A short path of the socket of that name, good inside the with block; OSError if there is no
    such directory."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}.sock"
    finally:
        os.close(descriptor)
