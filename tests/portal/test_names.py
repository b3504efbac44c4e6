"""What the portal says of the names in DNS."""

import pytest

from hausbote.base.acme_record import AcmeRecord, write_record
from support.nameserver import NameServer
from support.portal import PortalWorld, words

DOMAIN = "house.example"
ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/7"
ONLY_THE_BOX = f"letsencrypt.org; accounturi={ACCOUNT}; validationmethods=http-01"


@pytest.fixture
def page(tmp_path):
    """page(*records): what an administrator sees when DNS has these."""
    made = []

    def page(*records, account=ACCOUNT, acme="yes"):
        names = NameServer(tmp_path, records)
        made.append(names.stop)
        world = PortalWorld(
            tmp_path,
            domain=DOMAIN,
            dns={"server": names.endpoint},
            certificates={"acme": acme},
            ports={"proxy": 0},
        )
        made.append(world.close)
        world.settings.acme_record.parent.mkdir(exist_ok=True)
        write_record(world.settings.acme_record, AcmeRecord(account=account))
        return words(world.browser_of("juliet").get("/setup/names"))

    yield page
    for end in reversed(made):
        end()


def caa(value):
    return f'{DOMAIN}. 60 IN CAA 0 issue "{value}"'


def test_the_record_that_keeps_certificates_from_others_is_shown(page):
    shown = page()
    assert f"Certificates for {DOMAIN} Whoever answers for the name" in shown
    assert f'CAA {DOMAIN} 0 issue "{ONLY_THE_BOX}"' in shown


def test_the_right_record_is_good(page):
    assert f"Certificates for {DOMAIN} letsencrypt.org gives them to this box alone." in page(
        caa(ONLY_THE_BOX)
    )


def test_a_record_that_forbids_renewing_is_told(page):
    shown = page(caa("other.example"))
    assert "forbids letsencrypt.org to renew that of this box" in shown
    assert f'0 issue "{ONLY_THE_BOX}"' in shown


@pytest.mark.parametrize("how", [{"account": ""}, {"acme": "no"}])
def test_before_there_is_an_account_no_record_can_be_written(page, how):
    shown = page(**how)
    assert "Lines to copy" in shown
    assert "CAA" not in shown
