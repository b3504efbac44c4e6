"""What only this box may say of a message is taken out of what people send and what arrives
(XEP-0203 §5, XEP-0359 §4); copies are the affair of carbons.py."""

from hausbote.core.claims import without_forgeries
from hausbote.core.delivery import Delivery, Sent
from hausbote.core.feature import Feature, Stage

feature = Feature("forgeries", xeps={"0203": "2.0", "0359": "0.7.0"})


@feature.sent
def strip_sent(sent: Sent) -> None:
    """Before it is in an archive, and before others believe that we said it."""
    sender = sent.session.jid
    sent.stanza = without_forgeries(sent.host, sent.stanza, sender, sent.to, by_client=True)


@feature.message(Stage.STAMP)
def strip_arriving(delivery: Delivery) -> None:
    """What clients of this service send has been looked at already."""
    if delivery.session is None:
        host, stanza, sender = delivery.host, delivery.stanza, delivery.sender
        delivery.stanza = without_forgeries(host, stanza, sender, delivery.to, by_client=False)
