"""hausbote check: whether a domain can be reached, and if not, what to change."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.settings import FILE, Settings
from hausbote.cli.caa import caa_records
from hausbote.cli.finding import Finding, Mark
from hausbote.cli.inspection import Inspection
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.cli.storage_check import storage_findings
from hausbote.cli.store_check import check_store
from hausbote.inspection.records import records
from hausbote.net.chains import TrustError
from hausbote.net.tls import CertificateError
from hausbote.storage import path_of

_COLOURS: Final = {Mark.GOOD: "green", Mark.HINT: "yellow", Mark.BAD: "red"}


@click.command("check")
@state_option
@click.argument("domain", required=False)
def command(state: Path, domain: str | None) -> None:
    """Look at DOMAIN, or the box's own, as others see it: DNS, ports, certificate, federation.

    A line for each thing that was looked at: good, a hint, or what to change.  `check store`
    looks at the box's own database instead: every page of it, and everything that is kept.
    `check storage` tells how all that it is kept on is: the disk, its file system and its room.
    `check records` prints the DNS records that match the box's settings.
    """
    if domain == "store":
        check_store(load_settings(state))
        return
    if domain == "storage":
        _tell(storage_findings(load_settings(state)))
        return
    if domain == "records":
        settings = load_settings(state)
        click.echo("\n".join([*records(settings), *caa_records(settings)]))
        return
    # Other people's servers can be looked at without a box.
    without_box = domain and not (state / FILE).exists()
    if without_box:
        settings = Settings.from_dict({"domain": "localhost"}, state)
    else:
        settings = load_settings(state)
    try:
        wanted = prepare_domain(domain) if domain else settings.domain
    except InvalidJID as problem:
        raise Problem(f"{domain} is no domain: {problem}") from None
    decided = {} if without_box else _decided(settings)
    try:
        _tell(Inspection(settings, wanted, decided).findings())
    except (TrustError, CertificateError) as error:
        raise Problem(str(error)) from None


def _decided(settings: Settings) -> dict[str, bool]:
    """With which servers the owner wants to talk, or not; a new box has no database yet."""
    if not path_of(settings.database_url).exists():
        return {}
    with opened_store(settings) as store:
        return store.server_rules.decisions()


def _tell(findings: Iterator[Finding]) -> None:
    """A line for each; ends with 1 if one is bad."""
    bad = 0
    for finding in findings:
        click.echo(_line(finding))
        bad += finding.mark is Mark.BAD
    if bad:
        sys.exit(1)


def _line(finding: Finding) -> str:
    mark = click.style(f"{finding.mark.value:<4}", fg=_COLOURS[finding.mark])
    change = f"  -> {finding.change}" if finding.change else ""
    return f"{mark}  {finding.subject}: {finding.told}{change}"
