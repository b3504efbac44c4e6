"""Addresses of accounts on the command line."""

import click

from hausbote.base.jid import JID, InvalidJID
from hausbote.base.settings import Settings
from hausbote.cli.problem import Problem

jid_argument = click.argument("jid")


def local_part(settings: Settings, text: str) -> str:
    """The local part of an address of this box."""
    try:
        jid = JID.parse(text)
    except InvalidJID as problem:
        raise Problem(f"{text} is no address: {problem}") from None
    if jid.domain != settings.domain or not jid.local or jid.resource:
        raise Problem(f"{text}: accounts here are called NAME@{settings.domain}")
    return jid.local
