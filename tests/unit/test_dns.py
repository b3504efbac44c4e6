"""Finding other servers: records as unbound serves them, and name servers that mean harm."""

import collections
import contextlib

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.zone
import gevent
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hausbote.net.dns import Endpoint, NameProblem, Resolver, Service
from hausbote.net.tlsa import Tlsa
from support.nameserver import NameServer, OddNameServer, reply, server_records, settings_with

RECORDS = [
    *server_records("capulet.example", "127.0.0.31", 5269, 5270),
    "plain.example. 60 IN A 127.0.0.32",
    "plain.example. 60 IN AAAA ::1",
    "plain.example. 60 IN AAAA fd00::7",
    "_xmpp-server._tcp.closed.example. 60 IN SRV 0 0 0 .",
    "closed.example. 60 IN A 127.0.0.32",
    "_xmpps-server._tcp.starttls.example. 60 IN SRV 0 0 0 .",
    "starttls.example. 60 IN A 127.0.0.32",
    "_xmpp-server._tcp.mixed.example. 60 IN SRV 10 0 5269 b.mixed.example.",
    "_xmpps-server._tcp.mixed.example. 60 IN SRV 5 0 443 a.mixed.example.",
    "_xmpps-server._tcp.mixed.example. 60 IN SRV 20 0 443 c.mixed.example.",
    "_xmpp-server._tcp.xn--bcher-kva.example. 60 IN SRV 0 0 5269 host.example.",
    "_xmpp-client._tcp.capulet.example. 60 IN SRV 0 0 5222 capulet.example.",
    "bad.example. 60 IN A 224.0.0.1",
    "bad.example. 60 IN A 0.0.0.0",
    "mail.example. 60 IN MX 5 mail.example.",
]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    with NameServer(tmp_path_factory.mktemp("dns"), RECORDS) as server:
        yield server


@pytest.fixture
def resolver(names, tmp_path):
    return Resolver(settings_with(tmp_path, names))


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def odd(answers, tmp_path, clock=None, **dns_settings):
    server = OddNameServer(answers)
    raw = {"server": server.endpoint} | dns_settings
    return server, Resolver(settings_with(tmp_path, server, dns=raw), clock or Clock())


def problem(ask, *arguments):
    with pytest.raises(NameProblem) as caught:
        ask(*arguments)
    sentence = caught.value.sentence
    assert sentence.endswith(".")
    assert len(sentence) < 200
    return caught.value


# -- what owners publish -----------------------------------------------------------------------


def test_direct_tls_and_starttls_are_mixed_by_priority(resolver):
    assert resolver.endpoints("mixed.example") == [
        Endpoint("a.mixed.example", 443, True),
        Endpoint("b.mixed.example", 5269, False),
        Endpoint("c.mixed.example", 443, True),
    ]


def test_without_records_the_domain_itself_is_the_server(resolver):
    assert resolver.endpoints("plain.example") == [Endpoint("plain.example", 5269, False)]


def test_addresses_come_in_turn(resolver):
    found = resolver.addresses("plain.example")
    assert sorted(found) == ["127.0.0.32", "::1", "fd00::7"]
    assert ":" in found[0]
    assert found[1] == "127.0.0.32"


def test_a_dot_says_that_there_is_no_server(resolver):
    said = problem(resolver.endpoints, "closed.example")
    assert "no XMPP server" in said.sentence
    assert said.lasting


def test_a_dot_for_direct_tls_leaves_starttls(resolver):
    assert resolver.endpoints("starttls.example") == [Endpoint("starttls.example", 5269, False)]


def test_international_domains_are_asked_for_as_dns_has_them(resolver):
    assert resolver.endpoints("bücher.example") == [Endpoint("host.example", 5269, False)]


def test_clients_have_records_of_their_own(resolver):
    assert resolver.endpoints("capulet.example", "client") == [
        Endpoint("capulet.example", 5222, False)
    ]


@pytest.mark.parametrize("domain", ["192.0.2.1", "[2001:db8::1]"])
def test_an_address_needs_no_dns(tmp_path, domain):
    _, resolver = odd(None, tmp_path)
    assert resolver.endpoints(domain) == [Endpoint(domain.strip("[]"), 5269, False)]
    assert resolver.addresses(domain.strip("[]")) == [domain.strip("[]")]


def test_a_name_that_does_not_exist_is_told(resolver):
    assert "does not exist" in problem(resolver.addresses, "nobody.example").sentence
    assert problem(resolver.addresses, "nobody.example").lasting


def test_a_name_without_an_address_is_told(resolver):
    assert "no IP address" in problem(resolver.addresses, "mail.example").sentence


def test_addresses_of_no_machine_are_left_out(resolver):
    assert "no IP address" in problem(resolver.addresses, "bad.example").sentence


@pytest.mark.parametrize("domain", ["a" * 64 + ".example", "a..example", "x." * 130 + "example"])
def test_names_that_dns_cannot_have_are_told(resolver, domain):
    assert problem(resolver.endpoints, domain).lasting


# -- order -------------------------------------------------------------------------------------


def test_weights_share_the_load(tmp_path):
    def answers(query, _tcp):
        name = query.question[0].name.to_text()
        if name.startswith("_xmpp-"):
            yield reply(query, *[f"{name} 60 IN SRV 1 {w} 5269 w{w}.example." for w in (0, 10, 30)])
        else:
            yield reply(query, rcode="NXDOMAIN")

    server, resolver = odd(answers, tmp_path)
    with server:
        drawn = collections.Counter(resolver.endpoints("h.example")[0].host for _ in range(2000))
        last = [resolver.endpoints("h.example") for _ in range(20)]
    assert 1300 < drawn["w30.example"] < 1650  # 3 of 4
    assert 350 < drawn["w10.example"] < 650
    assert 0 < drawn["w0.example"] < 150
    assert all(len(order) == 3 for order in last)
    assert len(server.asked) == 2  # the order is drawn anew, the records are not asked for again


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 65535), st.booleans()), min_size=1, max_size=20
    )
)
def test_every_record_is_tried_once_and_priorities_hold(tmp_path_factory, records):
    servers = {Endpoint(f"h{i}", 1, direct): p for i, (p, _, direct) in enumerate(records)}

    def answers(query, _tcp):
        name = query.question[0].name.to_text()
        of_kind = [
            f"{name} 60 IN SRV {priority} {weight} 1 h{number}."
            for number, (priority, weight, direct) in enumerate(records)
            if name.startswith("_xmpps-" if direct else "_xmpp-")
        ]
        yield reply(query, *of_kind)

    server, resolver = odd(answers, tmp_path_factory.getbasetemp())
    with server:
        order = resolver.endpoints("h.example")
    assert sorted(order) == sorted(servers)
    assert [servers[one] for one in order] == sorted(servers.values())


class _Nowhere:
    endpoint = "127.0.0.1:9"


# -- the cache ---------------------------------------------------------------------------------


def counted(ttl, tmp_path, **how):
    def answers(query, _tcp):
        if "nobody" in query.question[0].name.to_text():
            yield reply(query, rcode="NXDOMAIN")
        else:
            yield reply(query, f"{query.question[0].name} {ttl} IN SRV 1 1 5269 host.example.")

    return odd(answers, tmp_path, **how)


@pytest.mark.parametrize(
    ("ttl", "kept", "gone"), [(60, 59, 61), (0, 4, 6), (2_000_000, 3590, 3610)]
)
def test_answers_are_kept_as_long_as_they_say_within_bounds(tmp_path, ttl, kept, gone):
    clock = Clock()
    server, resolver = counted(ttl, tmp_path, clock=clock)
    with server:
        resolver.services("h.example")
        clock.now += kept
        resolver.services("h.example")
        assert len(server.asked) == 1
        clock.now += gone - kept
        resolver.services("h.example")
        assert len(server.asked) == 2


def test_that_there_is_nothing_is_kept_too(tmp_path):
    clock = Clock()
    server, resolver = counted(60, tmp_path, clock=clock)
    with server:
        for _ in range(3):
            assert not resolver.services("nobody.example")
        assert len(server.asked) == 1
        clock.now += 301
        resolver.services("nobody.example")
        assert len(server.asked) == 2


def test_many_who_ask_the_same_ask_once(tmp_path):
    server, resolver = counted(60, tmp_path)
    with server:
        tasks = [gevent.spawn(resolver.services, "h.example") for _ in range(50)]
        assert all(task.get() == (Service(1, 1, 5269, "host.example"),) for task in tasks)
        assert len(server.asked) == 1


def test_the_cache_is_bounded(tmp_path):
    server, resolver = counted(60, tmp_path)
    with server:
        for number in range(1100):
            resolver.services(f"h{number}.example")
        for number in range(100, 1100):
            resolver.services(f"h{number}.example")
        assert len(server.asked) == 1100
        resolver.services("h99.example")
        assert len(server.asked) == 1101


def test_names_of_one_owner_push_only_each_other_out_of_the_cache(tmp_path):
    server, resolver = counted(60, tmp_path)
    with server:
        resolver.services("chat.friend.example")
        for number in range(1100):
            resolver.services(f"h{number}.evil.example")
        asked = len(server.asked)
        resolver.services("chat.friend.example")
        assert len(server.asked) == asked


# -- name servers that mean harm, or are broken ------------------------------------------------


def test_a_name_server_that_is_silent_is_given_up(tmp_path):
    server, resolver = odd(lambda *_: (), tmp_path, seconds=1)
    with server:
        ticks = gevent.spawn(_ticks)
        said = problem(resolver.endpoints, "h.example")
        ticks.kill()
        assert "does not answer" in said.sentence
        assert not said.lasting
        assert ticks.value > 50  # the hub went on meanwhile
        asked = len(server.asked)
        problem(resolver.endpoints, "h.example")
        assert len(server.asked) == asked  # and the failure is remembered for a while


def test_names_that_nobody_tells_about_keep_no_other_from_its_answer(tmp_path):
    def answers(query, tcp):
        if query.question[0].name.to_text().startswith("friend."):
            yield reply(query, "friend.example. 60 IN SRV 1 1 5269 host.example.")

    server, resolver = odd(answers, tmp_path)
    with server:
        names = [f"x{number}.evil.example" for number in range(100)]
        lost = [gevent.spawn(resolver.services, name) for name in names]
        gevent.sleep(0)
        assert resolver.services("friend.example") == (Service(1, 1, 5269, "host.example"),)
        assert not any(one.ready() for one in lost)
        assert len({name for name, _ in server.asked}) <= 25
        gevent.killall(lost)


def _ticks():
    count = 0
    try:
        while True:
            gevent.sleep(0.01)
            count += 1
    except gevent.GreenletExit:
        return count


def test_no_name_server_at_all_is_told(tmp_path):
    resolver = Resolver(settings_with(tmp_path, _Nowhere))
    assert "cannot be reached" in problem(resolver.addresses, "h.example").sentence


def test_forged_answers_are_waited_past(tmp_path):
    def answers(query, _tcp):
        name = query.question[0].name
        wrong_id = reply(query, f"{name} 60 IN A 127.0.0.66")
        wrong_id.id ^= 1
        wrong_name = reply(dns.message.make_query("other.example.", "A", id=query.id))
        yield from (b"", b"\0" * 5, b"\xff" * 600, query.to_wire(), wrong_id, wrong_name)
        yield reply(query, f"{name} 60 IN A 127.0.0.1")

    server, resolver = odd(answers, tmp_path)
    with server:
        assert resolver.addresses("h.example") == ["127.0.0.1"]


def test_an_answer_too_long_for_udp_comes_by_tcp(tmp_path):
    def answers(query, tcp):
        name = query.question[0].name
        if tcp:
            yield reply(query, *[f"{name} 60 IN A 10.0.{i // 256}.{i % 256}" for i in range(200)])
        else:
            yield reply(query, flags=dns.flags.TC)

    server, resolver = odd(answers, tmp_path)
    with server:
        assert len(resolver.addresses("h.example")) == 32  # more than anybody needs


def test_ten_thousand_records_are_not_read(tmp_path):
    big = b"".join(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\1" for _ in range(4000))

    def answers(query, tcp):
        if tcp:
            wire = bytearray(reply(query).to_wire())
            wire[6:8] = (4000).to_bytes(2, "big")
            yield bytes(wire)[:60] + big
        else:
            yield reply(query, flags=dns.flags.TC)

    server, resolver = odd(answers, tmp_path)
    with server:
        said = problem(resolver.endpoints, "h.example")
    assert "larger than any server needs" in said.sentence


def test_an_answer_by_tcp_that_is_cut_short_is_no_answer(tmp_path):
    def answers(query, tcp):
        yield b"" if tcp else reply(query, flags=dns.flags.TC)

    server, resolver = odd(answers, tmp_path, seconds=2)
    with server:
        assert not problem(resolver.addresses, "h.example").lasting


def test_aliases_are_followed_to_an_end(tmp_path):
    def answers(query, _tcp):
        name = query.question[0].name.to_text()
        number = int(name[1 : name.index(".")])
        more = f"{name} 60 IN CNAME h{number + 1}.example."
        yield reply(query, more if number < 5 else f"{name} 60 IN A 127.0.0.1")

    server, resolver = odd(answers, tmp_path)
    with server:
        assert resolver.addresses("h0.example") == ["127.0.0.1"]


@pytest.mark.parametrize("sent_along", [False, True])
def test_aliases_in_circles_are_left(tmp_path, sent_along):
    def answers(query, _tcp):
        name = query.question[0].name.to_text()
        other = "b.example." if name.startswith("a") else "a.example."
        circle = [f"{name} 60 IN CNAME {other}", f"{other} 60 IN CNAME {name}"]
        yield reply(query, *circle[: 2 if sent_along else 1])

    server, resolver = odd(answers, tmp_path)
    with server:
        assert not problem(resolver.services, "a.example").lasting
        assert len(server.asked) <= 8


def test_services_in_circles_are_left(tmp_path):
    """An SRV record whose target has SRV records: they are not looked at."""

    def answers(query, _tcp):
        name = query.question[0].name.to_text()
        if "SRV" in query.question[0].to_text():
            host = name.removeprefix("_xmpps-server._tcp.").removeprefix("_xmpp-server._tcp.")
            yield reply(query, f"{name} 60 IN SRV 1 1 5269 {host}")
        else:
            yield reply(query, rcode="NXDOMAIN")

    server, resolver = odd(answers, tmp_path)
    with server:
        (first, *_) = resolver.endpoints("h.example")
        assert "does not exist" in problem(resolver.addresses, first.host).sentence
        assert len(server.asked) == 4


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"])
def test_a_refusal_is_told(tmp_path, rcode):
    server, resolver = odd(lambda query, _tcp: [reply(query, rcode=rcode)], tmp_path)
    with server:
        said = problem(resolver.endpoints, "h.example")
    assert rcode in said.sentence
    assert not said.lasting


def test_a_name_server_older_than_extensions_is_asked_without(tmp_path):
    def answers(query, _tcp):
        if query.edns >= 0:
            yield reply(query, rcode="FORMERR")
        else:
            yield reply(query, f"{query.question[0].name} 60 IN A 127.0.0.1")

    server, resolver = odd(answers, tmp_path)
    with server:
        assert resolver.addresses("h.example") == ["127.0.0.1"]


def test_targets_that_are_no_hosts_are_left_out(tmp_path):
    def answers(query, _tcp):
        name = query.question[0].name.to_text()
        yield reply(
            query,
            f"{name} 60 IN SRV 1 1 5269 a\\032b.example.",
            f"{name} 60 IN SRV 1 1 0 h.example.",
        )

    server, resolver = odd(answers, tmp_path)
    with server:
        assert resolver.endpoints("h.example") == [Endpoint("h.example", 5269, False)]


def test_one_slow_kind_of_address_does_not_hold_the_other_up(tmp_path):
    def answers(query, _tcp):
        if "AAAA" not in query.question[0].to_text():
            yield reply(query, f"{query.question[0].name} 60 IN A 127.0.0.1")

    server, resolver = odd(answers, tmp_path)
    with server:
        assert resolver.addresses("h.example") == ["127.0.0.1"]


# -- DNSSEC ------------------------------------------------------------------------------------

FULL = "ab" * 32


def vouching(ad_for, tmp_path, trusted="yes"):
    """Records of h.example; DNSSEC vouches for the kinds that are named."""
    records = {
        "SRV": "_xmpp-server._tcp.h.example. 60 IN SRV 1 1 5269 host.example.",
        "A": "host.example. 60 IN A 127.0.0.1",
        "TLSA": f"_5269._tcp.host.example. 60 IN TLSA 3 1 1 {FULL}",
    }

    def answers(query, _tcp):
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        flags = dns.flags.AD if kind in ad_for else 0
        name = query.question[0].name.to_text()
        if kind in records and records[kind].startswith(name):
            yield reply(query, records[kind], flags=flags)
        else:
            yield reply(query, rcode="NXDOMAIN", flags=flags)

    return odd(answers, tmp_path, trusted=trusted)


def test_certificates_in_dns_count_where_dnssec_vouches_for_all_of_it(tmp_path):
    server, resolver = vouching(("SRV", "A", "TLSA"), tmp_path)
    with server:
        (endpoint,) = resolver.endpoints("h.example")
        assert endpoint.secure
        published = resolver.published(endpoint)
        assert published.host == "host.example"
        assert published.records == (Tlsa(3, 1, 1, bytes.fromhex(FULL)),)


@pytest.mark.parametrize("missing", ["SRV", "A", "TLSA"])
def test_one_answer_without_proof_and_they_do_not(tmp_path, missing):
    server, resolver = vouching({"SRV", "A", "TLSA"} - {missing}, tmp_path)
    with server:
        (endpoint,) = resolver.endpoints("h.example")
        assert resolver.published(endpoint) is None


def test_a_resolver_that_is_not_trusted_proves_nothing(tmp_path):
    server, resolver = vouching(("SRV", "A", "TLSA"), tmp_path, trusted="no")
    with server:
        (endpoint,) = resolver.endpoints("h.example")
        assert not endpoint.secure
        assert resolver.published(endpoint) is None


def test_certificates_that_somebody_hides_are_a_problem(tmp_path):
    """Else whoever can drop an answer could have us fall back to any authority."""

    def answers(query, _tcp):
        if query.question[0].rdtype == dns.rdatatype.TLSA:
            yield reply(query, rcode="SERVFAIL")
        else:
            yield reply(query, f"{query.question[0].name} 60 IN A 127.0.0.1", flags=dns.flags.AD)

    server, resolver = odd(answers, tmp_path, trusted="yes")
    with server:
        assert not problem(resolver.published, Endpoint("host.example", 5269, False, True)).lasting


def test_a_signed_zone_is_believed_and_a_changed_one_is_not(tmp_path):
    """unbound checks the signatures, and we take its word."""
    (tmp_path / "zones").mkdir()
    for name, changed in (("signed.example", False), ("changed.example", True)):
        _sign_zone(tmp_path / "zones", name, changed=changed)
    anchors = "".join(
        f'  trust-anchor: "{(tmp_path / "zones" / f"{name}.ds").read_text()}"\n'
        for name in ("signed.example", "changed.example")
    )
    zones = "".join(
        f'auth-zone:\n  name: "{name}."\n  zonefile: "{tmp_path / "zones" / name}.zone"\n'
        "  for-downstream: no\n  for-upstream: yes\n"
        for name in ("signed.example", "changed.example")
    )
    validating = '  module-config: "validator iterator"\n' + anchors
    transparent = "".join(
        f'  local-zone: "{name}." transparent\n' for name in ("signed.example", "changed.example")
    )
    with NameServer(tmp_path, more=validating + transparent + zones) as names:
        raw = {"server": names.endpoint, "trusted": "yes"}
        resolver = Resolver(settings_with(tmp_path, names, dns=raw))
        (endpoint,) = resolver.endpoints("signed.example")
        assert endpoint == Endpoint("host.signed.example", 5269, False, True)
        assert resolver.published(endpoint).records == (Tlsa(3, 1, 1, bytes.fromhex(FULL)),)
        assert "SERVFAIL" in problem(resolver.endpoints, "changed.example").sentence


def _sign_zone(directory, name, *, changed):
    """A zone file with signatures, and its DS record; `changed` afterwards by somebody else."""
    zone = dns.zone.from_text(
        f"@ 60 IN SOA ns hostmaster 1 60 60 60 60\n@ 60 IN NS ns\nns 60 IN A 127.0.0.1\n"
        "host 60 IN A 127.0.0.1\n_xmpp-server._tcp 60 IN SRV 1 1 5269 host\n"
        f"_5269._tcp.host 60 IN TLSA 3 1 1 {FULL}\n",
        origin=f"{name}.",
        relativize=False,
    )
    key = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(
        key.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257
    )
    dns.dnssec.sign_zone(zone, keys=[(key, public)], lifetime=86_400)
    text = zone.to_text()
    if changed:
        text = text.replace("SRV 1 1 5269", "SRV 1 1 5270")
    (directory / f"{name}.zone").write_text(text)
    delegation = dns.dnssec.make_ds(dns.name.from_text(f"{name}."), public, "SHA256")
    (directory / f"{name}.ds").write_text(f"{name}. 60 IN DS {delegation}")


# -- any bytes ---------------------------------------------------------------------------------


class Garbling:
    """A name server that sends an answer some of whose bytes are others, and then the right one,
    which counts if nothing can be made of the first."""

    def __init__(self):
        self.changes = []
        self.server = OddNameServer(self._answers)

    def _answers(self, query, _tcp):
        name = query.question[0].name.to_text()
        records = [f"{name} 60 IN SRV 1 {weight} 5269 {weight}.example." for weight in (1, 2)]
        right = reply(query, *records)
        wire = bytearray(right.to_wire())
        for where, value in self.changes:
            wire[2 + where % (len(wire) - 2)] ^= value
        yield from (bytes(wire), right)


@pytest.fixture(scope="module")
def garbling():
    made = Garbling()
    with made.server:
        yield made


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 255)), max_size=4))
def test_a_garbled_answer_is_an_answer_or_a_problem_and_never_a_fault(
    tmp_path_factory, garbling, changes
):
    garbling.changes = changes
    resolver = Resolver(settings_with(tmp_path_factory.getbasetemp(), garbling.server))
    with contextlib.suppress(NameProblem):
        found = resolver.services("_xmpp-server._tcp.h.example")
        assert all(one.target == one.target.lower() for one in found)
