"""The version of the XML parser that Python brings: the system's, where Debian builds it."""

from pyexpat import version_info
from typing import Final

_SINCE: Final = (2, 6, 0)  # large tokens in small pieces cost their square before (CVE-2023-52425)


def outdated(version: tuple[int, int, int] = version_info) -> str:
    """The version if it is older than should be, else nothing."""
    return ".".join(map(str, version)) if version < _SINCE else ""


def advice(version: str) -> str:
    """A sentence for the owner."""
    return (
        f"The XML parser is expat {version}, older than 2.6. What that one does not bound is"
        " bounded by Hausbote; but the system should be updated."
    )
