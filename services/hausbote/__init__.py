"""Hausbote: a private messenger box."""

__version__ = "0.1.0"
