"""Which certificates clients are shown: those of the box."""

from hausbote.net.certificates import certificates

__all__ = ["certificates"]
