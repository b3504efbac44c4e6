"""hausbote check: who may certify the box's names, by CAA records."""

import pytest

from hausbote.base.acme_record import AcmeRecord, write_record
from hausbote.cli.caa import caa_findings, caa_records
from hausbote.net.dns import Resolver
from support.nameserver import NameServer, settings_with

ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/7"
LINE = (
    'house.example. 3600 IN CAA 0 issue "letsencrypt.org; '
    f'accounturi={ACCOUNT}; validationmethods=http-01"'
)


@pytest.fixture
def look(tmp_path):
    """look(*records): what is found when DNS has these."""
    servers = []

    def look(*records, account=ACCOUNT, **raw):
        servers.append(NameServer(tmp_path, records))
        raw = {"certificates": {"acme": "yes"}, "federation": {"enabled": "no"}} | raw
        raw = {"ports": {"proxy": 0}} | raw
        settings = settings_with(tmp_path, servers[-1], **raw)
        (tmp_path / "certs").mkdir(exist_ok=True)
        write_record(settings.acme_record, AcmeRecord(account=account))
        found = dict.fromkeys(caa_findings(settings, Resolver(settings)))  # as check does
        return [(one.mark.value, one.subject, one.change) for one in found]

    yield look
    for server in servers:
        server.stop()


def caa(value, name="house.example", tag="issue"):
    return f'{name}. 60 IN CAA 0 {tag} "{value}"'


ONLY_WE = f"letsencrypt.org; accounturi={ACCOUNT}; validationmethods=http-01"


def test_without_a_record_the_right_one_is_printed(look):
    assert look() == [("hint", "CAA of house.example", LINE)]


def test_the_right_one_is_good(look):
    assert look(caa(ONLY_WE)) == [("good", "CAA of house.example", "")]
    assert look(caa(f"Letsencrypt.org;accounturi={ACCOUNT}")) == [
        ("good", "CAA of house.example", "")
    ]


def test_one_that_lets_everybody_at_that_authority_is_made_better(look):
    assert look(caa("letsencrypt.org")) == [("hint", "CAA of house.example", LINE)]
    assert look(caa(ONLY_WE), caa("letsencrypt.org")) == [("hint", "CAA of house.example", LINE)]


@pytest.mark.parametrize(
    "value",
    [
        ";",
        "other.example",
        "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/8",
        f"letsencrypt.org; accounturi={ACCOUNT}; validationmethods=dns-01",
    ],
)
def test_one_that_forbids_renewing_is_bad(look, value):
    assert look(caa(value)) == [("bad", "CAA of house.example", LINE)]


def test_records_of_a_service_go_before_those_of_the_domain(look):
    found = look(caa(ONLY_WE), caa("other.example", name="upload.house.example"))
    assert [(mark, subject) for mark, subject, _ in found] == [
        ("good", "CAA of house.example"),
        ("bad", "CAA of upload.house.example"),
    ]


def test_those_of_the_name_above_count_where_there_are_none(look):
    assert look(caa(ONLY_WE, name="example")) == [("good", "CAA of example", "")]


def test_other_tags_say_nothing_of_it(look):
    found = look(caa("mailto:me@house.example", tag="iodef"), caa(";", tag="issuewild"))
    assert found == [("hint", "CAA of house.example", LINE)]


def test_before_there_is_an_account_nothing_can_be_written(look):
    assert look(account="") == [("hint", "CAA", "hausbote certificate request")]


def test_a_box_that_asks_no_authority_looks_at_nothing(look):
    assert look(certificates={"acme": "no"}) == []


def test_a_name_server_that_does_not_answer_is_told(look, tmp_path):
    found = look(dns={"server": "127.0.0.53:9", "seconds": 1})
    assert {(mark, subject) for mark, subject, _ in found} == {
        ("bad", "CAA of house.example"),
        ("bad", "CAA of upload.house.example"),
    }


def test_it_is_among_the_records_of_the_box(tmp_path):
    with NameServer(tmp_path, [caa("other.example")]) as names:
        raw = {"ports": {"proxy": 0}, "federation": {"enabled": "no"}}
        settings = settings_with(tmp_path, names, certificates={"acme": "yes"}, **raw)
        (tmp_path / "certs").mkdir()
        assert caa_records(settings) == []
        write_record(settings.acme_record, AcmeRecord(account=ACCOUNT))
        assert caa_records(settings) == [LINE]
        closed = settings_with(tmp_path, names, **raw)
        assert caa_records(closed) == []
