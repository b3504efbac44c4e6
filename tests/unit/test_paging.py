"""Pages of a list (XEP-0059)."""

import pytest

from hausbote.xmpp.errors import ItemNotFound
from hausbote.xmpp.paging import Page, Paging, choose, write

IDS = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("paging", "page"),
    [
        (Paging(), (0, 5)),
        (Paging(max=2), (0, 2)),
        (Paging(max=0), (0, 0)),
        (Paging(max=2, after="b"), (2, 4)),
        (Paging(max=9, after="e"), (5, 5)),
        (Paging(max=2, before=""), (3, 5)),
        (Paging(max=2, before="b"), (0, 1)),
        (Paging(max=2, start=4), (4, 5)),
    ],
)
def test_pages(paging, page):
    assert choose(IDS, paging, 0) == Page(*page, 5)


def test_no_page_is_longer_than_it_may_be():
    assert choose(IDS, Paging(), 3) == Page(0, 3, 5)
    assert choose(IDS, Paging(max=4, before=""), 3) == Page(2, 5, 5)


@pytest.mark.parametrize("paging", [Paging(after="x"), Paging(before="x"), Paging(start=5)])
def test_places_that_are_not_there(paging):
    with pytest.raises(ItemNotFound):
        choose(IDS, paging, 0)


def test_an_empty_list_has_a_page():
    assert choose([], Paging(max=3), 0) == Page(0, 0, 0)
    assert (
        write([], Page(0, 0, 0))
        == "<set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set>"
    )
