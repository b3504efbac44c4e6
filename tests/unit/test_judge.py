"""Certificates of other servers: each bad one is refused with a sentence of its own."""

import hashlib
import os
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from hausbote.base.settings import Settings
from hausbote.net.chains import TrustError
from hausbote.net.judge import Cause, Judge, Pin
from hausbote.net.tlsa import PublishedCertificates, Tlsa
from support.authority import CLIENT, SERVER, Authority, Shelf, pem_of, self_signed, xmpp_addr
from support.peers import judge_with

OCSP = ExtendedKeyUsageOID.OCSP_SIGNING
DOMAIN = "chat.capulet.example"
NOW = time.time()
TODAY = datetime.fromtimestamp(NOW, UTC).date()
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def shelf(authority):
    return Shelf(authority, DOMAIN)


@pytest.fixture(scope="module")
def judge(authority, tmp_path_factory):
    return judge_with(tmp_path_factory.mktemp("judge"), authority)


def fingerprint_pin(identity, last_day):
    return Pin(identity.fingerprint, last_day)


def test_every_good_certificate_is_accepted(judge, shelf):
    for kind, identity in shelf.good().items():
        verdict = judge.judge(identity.chain, DOMAIN, NOW)
        assert (kind, verdict.accepted, verdict.cause) == (kind, True, Cause.TRUSTED)
        assert verdict.fingerprint == identity.fingerprint
        assert verdict.authority == "Test Root Intermediate"


def test_every_bad_certificate_is_refused_for_what_is_wrong_with_it(judge, shelf):
    sentences = set()
    for cause, identity in shelf.bad().items():
        verdict = judge.judge(identity.chain, DOMAIN, NOW)
        assert (verdict.accepted, verdict.cause.value) == (False, cause)
        assert DOMAIN in verdict.sentence
        assert verdict.sentence.endswith((".", "?"))
        sentences.add(verdict.sentence)
    assert len(sentences) == len(shelf.bad())


def test_names_that_come_near_are_refused(judge, shelf):
    for kind, identity in shelf.wrong_names().items():
        verdict = judge.judge(identity.chain, DOMAIN, NOW)
        assert not verdict.accepted, kind
        assert verdict.cause in (Cause.WRONG_NAME, Cause.NAMELESS), kind
        assert "@" not in verdict.sentence


def test_the_sentence_names_whom_the_certificate_is_for(judge, authority):
    wrong = authority.issue("one.example", "two.example", "three.example", "four.example")
    said = judge.judge(wrong.chain, DOMAIN, NOW).sentence
    assert said == (
        f"The certificate that {DOMAIN} showed is for "
        "four.example, one.example, three.example and others."
    )


def test_what_a_peer_writes_is_not_shown_if_it_could_do_harm(judge, authority):
    evil = authority.issue(names=[xmpp_addr("a" * 60 + "." + "b" * 60)])
    assert judge.judge(evil.chain, DOMAIN, NOW).sentence.endswith("is for somebody else.")
    strange = Authority("romeo@capulet.example\n2026 error")
    said = judge.judge(strange.issue(DOMAIN).chain, DOMAIN, NOW).sentence
    assert "romeo" not in said
    assert said.isprintable()


def test_no_certificate_is_refused(judge):
    verdict = judge.judge((), DOMAIN, NOW)
    assert (verdict.accepted, verdict.cause) == (False, Cause.ABSENT)


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x00", b"\x30" * 300])
def test_what_cannot_be_read_is_refused(judge, der):
    verdict = judge.judge((der,), DOMAIN, NOW)
    assert (verdict.accepted, verdict.cause) == (False, Cause.UNREADABLE)


def test_a_long_domain_makes_no_long_sentence(judge, shelf):
    domain = "x." * 400 + "example"
    for identity in [*shelf.bad().values(), *shelf.good().values()]:
        verdict = judge.judge(identity.chain, domain, NOW)
        assert not verdict.accepted
        assert len(verdict.sentence) < 500


@given(st.data())
def test_damage_is_never_accepted_and_never_a_fault(tmp_path_factory, data):
    judge, chain = _damaged.setdefault("case", None) or _case(tmp_path_factory)
    which = data.draw(st.integers(0, len(chain) - 1))
    where = data.draw(st.integers(0, len(chain[which]) - 1))
    bad = bytearray(chain[which])
    bad[where] ^= data.draw(st.integers(1, 255))
    changed = [*chain[:which], bytes(bad), *chain[which + 1 :]]
    verdict = judge.judge(changed, DOMAIN, NOW)
    assert not verdict.accepted
    assert "@" not in verdict.sentence


_damaged = {}


def _case(factory):
    authority = Authority()
    judge = judge_with(factory.mktemp("damage"), authority)
    _damaged["case"] = judge, authority.issue(DOMAIN).chain
    return _damaged["case"]


# -- chains ------------------------------------------------------------------------------------


def test_the_order_of_the_rest_does_not_matter_and_rubbish_in_it_neither(judge, authority):
    good = authority.issue(DOMAIN)
    others = [*Authority("Other").issue("x.example").chain, *good.chain[1:]]
    assert judge.judge([good.chain[0], *others], DOMAIN, NOW).accepted


def test_only_the_first_certificate_proves(judge, authority):
    mine, stolen = authority.issue("evil.example"), authority.issue(DOMAIN)
    assert not judge.judge([mine.chain[0], *stolen.chain], DOMAIN, NOW).accepted


def test_a_certificate_signed_by_a_server_is_refused(judge, authority):
    """A server's certificate is no authority, whatever its owner signs with it."""
    server = authority.issue("evil.example")
    rogue = Authority("x")
    rogue.intermediate, rogue.intermediate_key = server.certificate, server.key
    forged = rogue.issue(DOMAIN)
    verdict = judge.judge([*forged.chain, *server.chain], DOMAIN, NOW)
    assert (verdict.accepted, verdict.cause) == (False, Cause.BROKEN_CHAIN)


def test_a_self_made_authority_in_the_chain_is_told(judge):
    stranger = Authority("Stranger")
    sent = [*stranger.issue(DOMAIN).chain, stranger.root.public_bytes(Encoding.DER)]
    verdict = judge.judge(sent, DOMAIN, NOW)
    assert verdict.cause is Cause.UNKNOWN_AUTHORITY
    assert "Stranger" in verdict.sentence


def test_an_expired_authority_is_told_apart(tmp_path):
    authority = Authority("Old", days=(-90, -1))
    judge = judge_with(tmp_path, authority)
    verdict = judge.judge(authority.issue(DOMAIN).chain, DOMAIN, NOW)
    assert verdict.cause is Cause.CHAIN_EXPIRED
    assert "Old Intermediate" in verdict.sentence


@pytest.mark.parametrize(("purposes", "accepted"), [((SERVER,), True), ((CLIENT,), False)])
def test_an_authority_for_clients_does_not_certify_servers(tmp_path, purposes, accepted):
    authority = Authority("Special", purposes=purposes)
    judge = judge_with(tmp_path, authority)
    verdict = judge.judge(authority.issue(DOMAIN).chain, DOMAIN, NOW)
    assert verdict.accepted is accepted
    assert accepted or verdict.cause is Cause.NOT_FOR_SERVERS


def test_an_authority_for_other_domains_is_refused(tmp_path):
    authority = Authority("Elsewhere", permitted=["montague.example"])
    judge = judge_with(tmp_path, authority)
    assert judge.judge(authority.issue(DOMAIN).chain, DOMAIN, NOW).cause is Cause.BROKEN_CHAIN
    fitting = authority.issue("chat.montague.example")
    assert judge.judge(fitting.chain, "chat.montague.example", NOW).accepted


def test_other_purposes_do_not_make_a_server(judge, authority):
    mail = authority.issue(DOMAIN, purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    assert judge.judge(mail.chain, DOMAIN, NOW).cause is Cause.NOT_FOR_SERVERS


def test_a_key_that_may_only_sign_certificates_is_no_servers(judge, authority):
    odd = authority.issue(DOMAIN, signs=True)
    assert judge.judge(odd.chain, DOMAIN, NOW).cause is Cause.NOT_FOR_SERVERS


def test_an_authority_that_may_not_sign_certificates_is_none(tmp_path):
    authority = Authority("Mute", signs=False)
    judge = judge_with(tmp_path, authority)
    assert not judge.judge(authority.issue(DOMAIN).chain, DOMAIN, NOW).accepted


def test_names_that_nobody_vouches_for_are_not_read(judge, monkeypatch):
    monkeypatch.setattr("hausbote.net.judge.identities", lambda _: pytest.fail("it was read"))
    verdict = judge.judge(self_signed(DOMAIN).chain, DOMAIN, NOW)
    assert verdict.cause is Cause.SELF_SIGNED


def test_time_decides(judge, authority):
    good = authority.issue(DOMAIN, days=(-10, 10))
    causes = [judge.judge(good.chain, DOMAIN, NOW + days * 86_400).cause for days in (-11, 0, 11)]
    assert causes == [Cause.NOT_YET_VALID, Cause.TRUSTED, Cause.EXPIRED]


def test_a_servers_own_certificate_can_be_trusted_by_file(tmp_path, authority):
    friend = self_signed("friend.example")
    (tmp_path / "friend.pem").write_bytes(pem_of(friend.certificate))
    judge = judge_with(tmp_path, authority, trust=["friend.pem"])
    assert judge.judge(friend.chain, "friend.example", NOW).accepted
    assert judge.judge(friend.chain, DOMAIN, NOW).cause is Cause.WRONG_NAME


# -- the files of the settings -----------------------------------------------------------------


def test_the_systems_authorities_are_loaded(tmp_path, authority):
    """Whichever there are: none of them knows the tests' own."""
    raw = {"domain": "house.example"}
    judge = Judge(Settings.from_dict(raw, tmp_path))
    assert judge.judge(authority.issue(DOMAIN).chain, DOMAIN, NOW).cause is Cause.UNKNOWN_AUTHORITY


@pytest.mark.parametrize("option", ["trust", "revoked"])
@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, authority, option, content):
    if content is not None:
        (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(TrustError, match=r"bad\.pem"):
        judge_with(tmp_path, authority, **{option: ["bad.pem"]})


def test_another_authority_is_trusted_after_a_reload(tmp_path, authority):
    judge, new = judge_with(tmp_path, authority), Authority("New")
    chain = new.issue(DOMAIN).chain
    assert not judge.changed()
    new.write(tmp_path)
    os.utime(tmp_path / "root.pem", (1, 1))
    assert judge.changed()
    assert not judge.judge(chain, DOMAIN, NOW).accepted
    judge.reload()
    assert not judge.changed()
    assert judge.judge(chain, DOMAIN, NOW).accepted
    (tmp_path / "root.pem").write_bytes(b"rubbish")
    with pytest.raises(TrustError):
        judge.reload()
    assert judge.judge(chain, DOMAIN, NOW).accepted
    assert not judge.changed(), "it is as it was when it was told"


def test_a_broken_list_of_authorities_hides_no_revocation(tmp_path, authority):
    bad = authority.issue(DOMAIN)
    judge = with_list(tmp_path, authority, authority.revocation_list())
    (tmp_path / "root.pem").write_bytes(b"rubbish")
    new = authority.revocation_list(bad).public_bytes(Encoding.PEM)
    (tmp_path / "list.crl").write_bytes(new)
    with pytest.raises(TrustError):
        judge.reload()
    assert judge.judge(bad.chain, DOMAIN, NOW).cause is Cause.REVOKED


# -- revocation --------------------------------------------------------------------------------


def with_list(directory, authority, revoked, encoding=Encoding.PEM):
    (directory / "list.crl").write_bytes(revoked.public_bytes(encoding))
    return judge_with(directory, authority, revoked=["list.crl"])


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_certificate_in_a_list_is_refused(tmp_path, authority, encoding):
    bad, good = authority.issue(DOMAIN), authority.issue(DOMAIN)
    judge = with_list(tmp_path, authority, authority.revocation_list(bad), encoding)
    assert judge.judge(bad.chain, DOMAIN, NOW).cause is Cause.REVOKED
    assert judge.judge(good.chain, DOMAIN, NOW).accepted


def test_a_list_that_is_out_of_date_still_counts(tmp_path, authority):
    bad = authority.issue(DOMAIN)
    judge = with_list(tmp_path, authority, authority.revocation_list(bad, updated=-100))
    assert judge.judge(bad.chain, DOMAIN, NOW).cause is Cause.REVOKED


def test_a_list_of_somebody_else_revokes_nothing(tmp_path, authority):
    good, other = authority.issue(DOMAIN), Authority()  # of the same name
    judge = with_list(tmp_path, authority, other.revocation_list(good))
    assert judge.judge(good.chain, DOMAIN, NOW).accepted


def test_a_staple_revokes(judge, authority):
    one = authority.issue(DOMAIN)
    staple = authority.staple(one, revoked=True)
    assert judge.judge(one.chain, DOMAIN, NOW, staple=staple).cause is Cause.REVOKED
    staple = authority.staple(one, revoked=False)
    assert judge.judge(one.chain, DOMAIN, NOW, staple=staple).accepted


def test_a_staple_by_whom_the_authority_has_certified_for_it_revokes(judge, authority):
    one = authority.issue(DOMAIN)
    deputy = authority.issue("ocsp.example", purposes=(OCSP,))
    staple = authority.staple(one, revoked=True, signer=deputy)
    assert judge.judge(one.chain, DOMAIN, NOW, staple=staple).cause is Cause.REVOKED


def test_a_staple_that_nobody_may_make_revokes_nothing(judge, authority):
    one, other = authority.issue(DOMAIN), authority.issue(DOMAIN)
    for staple in (
        authority.staple(one, revoked=True, signer=other),
        authority.staple(one, revoked=True, signer=self_signed("x.example", purposes=(OCSP,))),
        authority.staple(other, revoked=True),
        b"rubbish",
    ):
        assert judge.judge(one.chain, DOMAIN, NOW, staple=staple).accepted


# -- pins --------------------------------------------------------------------------------------


def test_a_pinned_certificate_is_right_whoever_signed_it(judge):
    friend = self_signed("whatever.example", days=(-90, -1))
    verdict = judge.judge(friend.chain, DOMAIN, NOW, pins=[fingerprint_pin(friend, TODAY)])
    assert (verdict.accepted, verdict.cause) == (True, Cause.PINNED)


def test_while_a_pin_holds_no_other_certificate_will_do(judge, authority):
    friend, good = self_signed(DOMAIN), authority.issue(DOMAIN)
    verdict = judge.judge(good.chain, DOMAIN, NOW, pins=[fingerprint_pin(friend, TODAY)])
    assert (verdict.accepted, verdict.cause) == (False, Cause.NOT_PINNED)


def test_a_pin_ends(judge, authority):
    friend, good = self_signed(DOMAIN), authority.issue(DOMAIN)
    pins = [fingerprint_pin(friend, TODAY - DAY)]
    verdict = judge.judge(friend.chain, DOMAIN, NOW, pins=pins)
    assert (verdict.accepted, verdict.cause) == (False, Cause.PIN_ENDED)
    assert str(TODAY - DAY) in verdict.sentence
    assert judge.judge(good.chain, DOMAIN, NOW, pins=pins).accepted


def test_a_new_certificate_can_be_pinned_beside_the_old(judge):
    old, new = self_signed(DOMAIN), self_signed(DOMAIN)
    pins = [fingerprint_pin(old, TODAY), fingerprint_pin(new, date(2999, 1, 1))]
    assert judge.judge(old.chain, DOMAIN, NOW, pins=pins).accepted
    assert judge.judge(new.chain, DOMAIN, NOW, pins=pins).accepted


# -- DANE --------------------------------------------------------------------------------------


def record(usage, certificate, selector=0, matching=0):
    data = certificate.public_bytes(Encoding.DER)
    if selector:
        public = PublicFormat.SubjectPublicKeyInfo
        data = certificate.public_key().public_bytes(Encoding.DER, public)
    if matching:
        data = hashlib.new({1: "sha256", 2: "sha512"}[matching], data).digest()
    return Tlsa(usage, selector, matching, data)


def published(*records, host="host.example"):
    return PublishedCertificates(host, records)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_dns_names_a_certificate(judge, selector, matching):
    own, other = self_signed("whatever.example"), self_signed("whatever.example")
    says = published(record(3, own.certificate, selector, matching))
    assert judge.judge(own.chain, DOMAIN, NOW, published=says).cause is Cause.DANE
    verdict = judge.judge(other.chain, DOMAIN, NOW, published=says)
    assert (verdict.accepted, verdict.cause) == (False, Cause.NOT_IN_DNS)


def test_dns_names_an_authority(judge):
    own = Authority("Own")
    says = published(record(2, own.intermediate, 1, 1))
    assert judge.judge(own.issue(DOMAIN).chain, DOMAIN, NOW, published=says).accepted
    assert judge.judge(own.issue("host.example").chain, DOMAIN, NOW, published=says).accepted
    wrong = judge.judge(own.issue("x.example").chain, DOMAIN, NOW, published=says)
    assert wrong.cause is Cause.WRONG_NAME
    old = judge.judge(own.issue(DOMAIN, days=(-9, -1)).chain, DOMAIN, NOW, published=says)
    assert old.cause is Cause.EXPIRED


def test_a_certificate_beside_the_authority_that_dns_names_proves_nothing(judge):
    own = Authority("Own")
    stranger = self_signed(DOMAIN)
    says = published(record(2, own.intermediate))
    sent = [*stranger.chain, own.intermediate.public_bytes(Encoding.DER)]
    assert not judge.judge(sent, DOMAIN, NOW, published=says).accepted


def test_dns_narrows_what_is_trusted(judge, authority):
    good, other = authority.issue(DOMAIN), authority.issue(DOMAIN)
    leaf = published(record(1, good.certificate))
    assert judge.judge(good.chain, DOMAIN, NOW, published=leaf).accepted
    assert judge.judge(other.chain, DOMAIN, NOW, published=leaf).cause is Cause.NOT_IN_DNS
    above = published(record(0, authority.intermediate, 1, 2))
    assert judge.judge(other.chain, DOMAIN, NOW, published=above).accepted
    friend = self_signed(DOMAIN)
    says = published(record(1, friend.certificate))
    assert judge.judge(friend.chain, DOMAIN, NOW, published=says).cause is Cause.SELF_SIGNED


def test_records_that_nobody_understands_change_nothing(judge, authority):
    says = published(Tlsa(9, 0, 0, b"x"), Tlsa(3, 7, 0, b"x"), Tlsa(3, 0, 9, b"x"))
    assert judge.judge(authority.issue(DOMAIN).chain, DOMAIN, NOW, published=says).accepted
    assert not judge.judge(self_signed(DOMAIN).chain, DOMAIN, NOW, published=says).accepted


def test_causes_have_words_for_the_log():
    assert len({cause.word for cause in Cause}) == len(Cause)
