"""Programs that attach to the box and answer for a domain of it: bridges, bots (XEP-0114)."""

from hausbote.c2s.components.outlet import Component
from hausbote.c2s.components.server import ComponentServer, SecretMissing, feature

__all__ = ["Component", "ComponentServer", "SecretMissing", "feature"]
