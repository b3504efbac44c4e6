"""The box's account at the authority, and how the authority is called in CAA records (RFC 8659).

A CAA record with the account's address (RFC 8657: accounturi) keeps others from getting a
certificate for the box's names, even if they can answer for these names for a while.
"""

import json
import ssl
import urllib.request
from dataclasses import replace
from typing import Final

from hausbote.base.acme_record import AcmeRecord
from hausbote.base.settings import Settings
from hausbote.certs.places import Places

_SECONDS: Final = 20.0
_MOST: Final = 65_536  # bytes of a directory
_TOLD: Final = 8


def noted(record: AcmeRecord, settings: Settings, places: Places) -> AcmeRecord:
    """With what is known of the account now; it is asked once for the authority's names."""
    uri = account_uri(places)
    if not uri or (uri == record.account and record.issuers):
        return record
    return replace(record, account=uri, issuers=_issuers(settings, places))


def account_uri(places: Places) -> str:
    """As certbot has kept it; "" before there is one."""
    for path in sorted((places.config / "accounts").glob("**/regr.json")):
        try:
            uri = json.loads(path.read_text("utf-8"))["uri"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(uri, str):
            return uri
    return ""


def _issuers(settings: Settings, places: Places) -> tuple[str, ...]:
    """caaIdentities of the authority's directory (RFC 8555 §7.1.1); empty if it does not tell."""
    tls = settings.tls
    try:
        context = ssl.create_default_context(
            cafile=str(settings.path(tls.authorities)) if tls.authorities else None
        )
        for name in tls.trust:
            context.load_verify_locations(settings.path(name))
        with urllib.request.urlopen(  # noqa: S310 - the settings allow https only
            places.server, timeout=_SECONDS, context=context
        ) as answer:
            told = json.loads(answer.read(_MOST))["meta"]["caaIdentities"]
            return tuple(str(name) for name in told[:_TOLD])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
