"""Hausbote: a private messenger box that speaks XMPP."""
