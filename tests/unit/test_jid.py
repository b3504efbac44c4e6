"""Addresses: what is one, what is the same one, and what is none (RFC 7622)."""

import itertools
import subprocess
import sys
import tracemalloc

import precis_i18n
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from precis_i18n.derived import derived_property

from hausbote.base import precis
from hausbote.base.jid import JID, InvalidJID, prepare_local, prepare_password, prepare_resource


def parts(text):
    jid = JID.parse(text)
    return jid.local, jid.domain, jid.resource


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("juliet@example.org/balcony", ("juliet", "example.org", "balcony")),
        ("juliet@example.org", ("juliet", "example.org", "")),
        ("example.org", ("", "example.org", "")),
        ("example.org/a@b/c", ("", "example.org", "a@b/c")),
        ("juliet@example.org/a@b/c", ("juliet", "example.org", "a@b/c")),
        ("a@127.0.0.1", ("a", "127.0.0.1", "")),
        ("a@[::1]/x", ("a", "[::1]", "x")),
        ("fußball@example.org", ("fußball", "example.org", "")),
        ("π@example.org/♚", ("π", "example.org", "♚")),
        ("foo\\20bar@example.org", ("foo\\20bar", "example.org", "")),
    ],
)
def test_an_address_is_split_at_the_first_slash_and_then_at_the_first_at(text, expected):
    assert parts(text) == expected
    assert str(JID.parse(text)) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Juliet@Example.ORG", "juliet@example.org"),
        ("ÄRGER@example.org", "ärger@example.org"),
        ("a\u0308@example.org", "ä@example.org"),
        ("\uff41@example.org", "a@example.org"),
        ("a@example.org.", "a@example.org"),
        ("a@example\u3002org\u3002", "a@example.org"),
        ("a@xn--mnchen-3ya.example", "a@münchen.example"),
        ("a@XN--MNCHEN-3YA.example", "a@MÜNCHEN.example"),
        ("a@[0:0::1]", "a@[::1]"),
        ("a@b/x\u00a0y", "a@b/x y"),
    ],
)
def test_spellings_of_one_address_are_equal(one, other):
    assert JID.parse(one) == JID.parse(other)
    assert len({JID.parse(one), JID.parse(other)}) == 1
    assert str(JID.parse(one)) == str(JID.parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@b/Phone", "a@b/phone"),
        ("a@b", "a@b/b"),
        ("a@b", "b"),
        ("σ@b", "ς@b"),
        ("strasse@b", "straße@b"),
    ],
)
def test_different_addresses_are_different(one, other):
    assert JID.parse(one) != JID.parse(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@b",
        "a@",
        "a@/x",
        "/x",
        "a@b/",
        "a b@c",
        'a"b@c',
        "a&b@c",
        "a'b@c",
        "a:b@c",
        "a<b@c",
        "a@b@c",
        "a\0@b",
        "a\n@b",
        "a\u2028@b",
        "Ⅳ@b",
        "♚@b",
        "\ud800@b",
        "a@\ud800",
        "a@b/\ud800",
        "a@b/x\ny",
        "a@b/\x7f",
        "a@b/\u200b",
        "a@b c",
        "a@b..",
        "a@b\u3002\u3002",
        "a@.b",
        "a@-b",
        "a@b-",
        "a@b_c",
        "a@xn--",
        "a@[::1",
        "a@[1.2.3.4]",
        "a@[fe80::1%<x>]",
        "a@💩.example",
        "a@" + "x" * 64,
        "a@" + "ü" * 64,
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence_that_does_not_repeat_it(text):
    with pytest.raises(InvalidJID) as refusal:
        JID.parse(text)
    sentence = str(refusal.value)
    assert " " in sentence
    assert len(text) < 3 or text not in sentence


@pytest.mark.parametrize("letter", ["a", "ä", "€"])
def test_parts_may_have_1023_bytes_and_no_more(letter):
    count = 1023 // len(letter.encode())
    text = letter * count if letter != "€" else ""
    fits = f"{text or 'a'}@{'.'.join(['x'] * 512)}/{letter * count}"
    assert str(JID.parse(fits)) == fits
    for too_long in (f"{letter * 1024}@b", f"a@b/{letter * (count + 1)}", "a@" + ".x" * 512):
        with pytest.raises(InvalidJID):
            JID.parse(too_long)


def test_a_text_that_is_only_long_until_it_is_composed_is_an_address():
    assert JID.parse("a@b/" + "u\u0308\u0304" * 511).resource == "ǖ" * 511


def test_bare_and_full_addresses_lead_to_each_other():
    full = JID.parse("juliet@example.org/balcony")
    bare = full.to_bare()
    assert (full.bare, full.full) == ("juliet@example.org", "juliet@example.org/balcony")
    assert (str(bare), bare.is_bare, full.is_bare) == ("juliet@example.org", True, False)
    assert bare.to_bare() is bare
    assert bare.with_resource("balcony") == full


def test_an_address_is_not_equal_to_its_text():
    assert JID.parse("a@b") != "a@b"


def test_parts_can_be_prepared_alone():
    assert prepare_local("Ärger") == "ärger"
    assert prepare_resource("\u1e9b") == "\u1e9b"
    for nothing in (prepare_local, prepare_resource):
        with pytest.raises(InvalidJID, match="empty"):
            nothing("")


def test_plain_addresses_load_no_tables():
    code = (
        "import sys; from hausbote.base.jid import JID, prepare_password\n"
        "JID.parse('Juliet@Example.org/the balcony'); prepare_password('correct horse')\n"
        "print([n for n in ('precis_i18n', 'idna', 'stringprep', 'unicodedata')"
        " if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def remembered(parsed):
    """How many of the newest are still known: the same text gives the same object."""
    same = (JID.parse(jid.full) is jid for jid in reversed(parsed))
    return sum(itertools.takewhile(bool, same))


def test_a_stream_of_new_addresses_does_not_fill_the_memory():
    parsed, most = [], 0
    for number in range(10_000):
        parsed.append(JID.parse(f"a{number}@b"))
        if number % 500 == 0:
            most = max(most, remembered(parsed))
    assert 1_000 < most <= 4_096
    assert JID.parse("a1@b").local == "a1"


def test_long_addresses_do_not_fill_the_memory_either():
    parsed, most = [], 0
    for number in range(2_000):
        parsed.append(JID.parse(f"{'x' * 1000}{number}@b/{'y' * 1000}"))
        if number % 20 == 0:
            most = max(most, remembered(parsed))
    assert 500_000 < most * 2_000 < 2_100_000


# -- PRECIS ------------------------------------------------------------------------------------


def both(text):
    """What the library makes of a text, and what we do; None if it is refused."""
    ours, theirs = [], []
    for prepare, profile in (
        (precis.username_case_mapped, "UsernameCaseMapped"),
        (precis.opaque_string, "OpaqueString"),
    ):
        try:
            ours.append(prepare(text))
        except precis.Disallowed:
            ours.append(None)
        try:
            theirs.append(precis_i18n.get_profile(profile).enforce(text))
        except UnicodeEncodeError:
            theirs.append(None)
    return ours, theirs


def test_every_character_is_judged_as_the_library_judges_it():
    for code in [*range(0x20, 0x3100), *range(0xA000, 0xA100), *range(0xFB00, 0x10000)]:
        ours, theirs = both(chr(code))
        assert ours == theirs, hex(code)


@given(
    st.text(
        st.one_of(
            st.sampled_from("aZßΣσς\u0308lL·א1٠۰ابل\u094d\u200c\u200d・カ漢͵׳ａ ²"),
            st.characters(exclude_categories=()),
        ),
        min_size=1,
    )
)
@example("א1")
@example("1א")
@example("l·l")
@example("・カ")
def test_every_text_is_prepared_as_the_library_prepares_it(text):
    ours, theirs = both(text)
    assert ours == theirs


def test_a_character_is_looked_up_once(monkeypatch):
    looked_up = []

    def derived(code, unicode):
        looked_up.append(code)
        return derived_property(code, unicode)

    monkeypatch.setattr(precis, "derived_property", derived)
    for number in range(110):
        JID.parse(f"{'ⵣⵥⵟ' * 100}{number}@b/{'ꔀꔁ' * 100}{number}")
    assert 0 < len(looked_up) == len(set(looked_up)) <= 15


# -- passwords ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [
        ("correct horse battery", "correct horse battery"),
        (" \\,=~ ", " \\,=~ "),
        ("Straße", "Straße"),
        ("u\u0308ber", "über"),
        ("m²", "m2"),
        ("I\u00adX", "IX"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("🔑", "🔑"),
    ],
)
def test_passwords_are_prepared_as_clients_do_it(typed, prepared):
    """The rows with IX and a are the examples of RFC 4013 §3."""
    assert prepare_password(typed) == prepared


@pytest.mark.parametrize("text", ["", "\u00ad", "\u0007", "a\nb", "\ue000", "\ud800", "\U000e0001"])
def test_what_cannot_be_a_password_is_refused(text):
    with pytest.raises(InvalidJID, match="the password"):
        prepare_password(text)


# -- properties --------------------------------------------------------------------------------

# Characters that one step or another of the preparation changes, beside any others.
odd = st.sampled_from(
    "aZ.-@/[]:%0ßẞıİſKσςÅ\u0308\u0301ﬁ²Ⅳａ。．\u00ad\u200d\u0640\u0660٠۰א١ا·ͅʰ\u1e9e"
)
address = st.text(st.one_of(odd, st.characters(exclude_categories=()), st.sampled_from("ab.@/")))


@given(address)
@example("İ@x")
@example("ẞ@ẞ.x")
@example("a@b.")
@example("a@b\u3002")
@example("a@b..")
@example("\u0390\u0390@x")
def test_whatever_is_an_address_stays_as_it_is(text):
    try:
        jid = JID.parse(text)
    except InvalidJID:
        return
    again = JID.parse(str(jid))
    assert (again.local, again.domain, again.resource) == (jid.local, jid.domain, jid.resource)
    assert jid.to_bare().bare == jid.bare
    assert all(len(part.encode()) <= 1023 for part in (jid.local, jid.domain, jid.resource))


@given(address)
def test_whatever_is_a_password_stays_as_it_is(text):
    try:
        prepared = prepare_password(text)
    except InvalidJID:
        return
    assert prepare_password(prepared) == prepared
    prepared.encode()


# -- emoji in resources ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ("\u2764\ufe0f", "\u2764"),  # a red heart
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\U0001f469\U0001f467",
        ),  # a family
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\U0001f525"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4"),  # a flag
        ("1\ufe0f\u20e3", "1\u20e3"),  # a keycap
        ("a\u200d\u200d\u200db", "ab"),
        ("\u200da", "a"),
        # Where a joiner is part of a word it stays: Sinhala, Devanagari, and Persian.
        ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"),
        ("\u0915\u094d\u200d\u200d", "\u0915\u094d\u200d"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
    ],
)
def test_what_holds_emoji_together_is_taken_out(sent, known):
    assert prepare_resource(sent) == known
    assert prepare_resource(known) == known
    assert JID.parse(f"room@h/{sent}") == JID.parse(f"room@h/{known}")


@pytest.mark.parametrize(
    "nothing", ["\ufe0f", "\u200d", "\U000e0067", "a\u200cb", "a\u200bb", "a\u2060b"]
)
def test_what_is_not_seen_is_no_resource_and_no_part_of_one(nothing):
    with pytest.raises(InvalidJID):
        prepare_resource(nothing)


@pytest.mark.parametrize("address", ["a\u200d@h", "a\ufe0f@h"])
def test_accounts_have_no_emoji(address):
    with pytest.raises(InvalidJID):
        JID.parse(address)


def test_addresses_of_a_domain_share_its_name():
    one, other = JID.parse("romeo@mont.example/orchard"), JID.parse("benvolio@MONT.example")
    assert one.domain is other.domain


def test_domains_that_peers_make_up_do_not_fill_the_memory():
    def look(numbers):
        for number in numbers:
            JID.parse(f"x@made-up-{number}.example")

    look(range(10_000))
    tracemalloc.start()
    look(range(10_000, 60_000))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 4_000_000
