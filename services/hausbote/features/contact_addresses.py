"""Whom people may turn to, in what the server tells of itself (XEP-0157)."""

from dataclasses import fields

from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.data_form import DataForm, Field

feature = Feature("contact addresses", xeps={"0157": "1.1.1"})


@feature.disco_form
def addresses(host: Host) -> DataForm | None:
    """Those of the settings; no form without any."""
    contact = host.settings.contact
    given = {option.name: getattr(contact, option.name) for option in fields(contact)}
    found = tuple(
        Field(f"{kind}-addresses", uris, "list-multi") for kind, uris in given.items() if uris
    )
    return DataForm(ns.SERVER_INFO, found) if found else None
