"""How clients come: what a limit counts apart, so that one way cannot use up what is another's."""

from typing import Final, NamedTuple


class Way(NamedTuple):
    """`kind` is one of few; `page` is the Origin (RFC 6454) of a web page that is not the box's."""

    kind: str
    page: str = ""


DIRECT: Final = Way("direct")
WEB: Final = Way("web")


def foreign(page: str) -> Way:
    """By the web, from a page of somebody else: whoever looks at it may not know what it does."""
    return Way("foreign", page)
