"""What is remembered of clients elsewhere."""

from hausbote.base.jid import JID
from hausbote.features.pubsub.interest import Remote


def test_a_contact_with_many_clients_pushes_out_no_other_contacts():
    remote = Remote(most=4)
    juliet = remote.add(JID.parse("juliet@capulet.example/balcony"))
    for number in range(20):
        remote.add(JID.parse(f"tybalt@capulet.example/{number}"))
    assert remote.clients["juliet@capulet.example"] == {"balcony": juliet}
    assert list(remote.clients["tybalt@capulet.example"]) == ["17", "18", "19"]
    for number in range(20):
        remote.remove(JID.parse(f"tybalt@capulet.example/{number}"))
    assert list(remote.clients) == ["juliet@capulet.example"]
