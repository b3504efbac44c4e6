"""What an owner reads when certbot fails: one sentence, and what to change."""

import re

import pytest

from hausbote.base.log import Sentence
from hausbote.certs.explanation import Circumstances, explain

HTTP = Circumstances("Let's Encrypt", True, 8080, lambda: "nginx (process 7)")
DNS = HTTP._replace(http=False)
# As certbot prints them: those of names, and its own ones.
NAME = """Certbot failed to authenticate some domains (authenticator: standalone). The Certificate Authority reported these problems:
  Domain: {name}
  Type:   {type}
  Detail: {detail}

Hint: The Certificate Authority failed to download the challenge files from the temporary standalone webserver.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile /x/letsencrypt.log
"""
ACME = """An unexpected error occurred:
{said}
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile /x/letsencrypt.log

urn:ietf:params:acme:error:{type} :: {what} :: {detail}"""


def of_a_name(type, detail, name="h.example", here=HTTP):
    return explain(NAME.format(name=name, type=type, detail=detail), here).sentence


def of_acme(
    type, detail, what="The request was refused", said="AttributeError: can't set attribute"
):
    return explain(ACME.format(said=said, type=type, what=what, detail=detail), HTTP)


@pytest.mark.parametrize(
    ("type", "detail", "told"),
    [
        (
            "dns",
            "DNS problem: NXDOMAIN looking up A for h.example",
            "DNS does not lead Let's Encrypt to h.example: give these names their records",
        ),
        (
            "connection",
            "192.0.2.1: Fetching http://h.example/.well-known/acme-challenge/x: Timeout",
            "cannot reach h.example at port 80: lead it through router and firewall to port 8080",
        ),
        ("unauthorized", "Invalid response from http://h.example/: 404", "do these names lead to this box"),
        ("caa", "CAA record for h.example prevents issuance", "'hausbote check' prints the right one"),
        ("rejectedIdentifier", "no", "does not certify such a name as h.example"),
        ("strange", "who knows", "refused to certify h.example: who knows."),
    ],
)  # fmt: skip
def test_what_the_authority_says_of_a_name(type, detail, told):
    assert told in of_a_name(type, detail)


def test_for_dns_the_programs_are_named():
    assert "certificates.hooks" in of_a_name("unauthorized", "No TXT record found", here=DNS)
    assert "_acme-challenge" in of_a_name("dns", "NXDOMAIN looking up TXT", here=DNS)


def test_many_names_are_not_all_told():
    said = "".join(
        f"\n  Domain: n{n}.example\n  Type:   dns\n  Detail: NXDOMAIN\n" for n in range(7)
    )
    assert "n0.example, n1.example, n2.example and 4 more" in explain(said, HTTP).sentence


def test_a_rate_limit_is_kept_until_the_authority_says():
    detail = (
        "too many certificates (5) already issued for this exact set of identifiers in the last"
        " 168h0m0s, retry after 2027-01-15 08:00:00 UTC: see https://letsencrypt.org/docs/"
    )
    trouble = of_acme("rateLimited", detail, "There were too many requests of a given type")
    assert "asked again after 2027-01-15 08:00 UTC" in trouble.sentence
    assert trouble.not_before == 1_800_000_000.0


def test_a_rate_limit_without_a_time_is_told_as_well():
    trouble = of_acme("rateLimited", "too many new orders recently")
    assert "too many new orders recently" in trouble.sentence
    assert trouble.not_before == 0.0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Could not bind TCP port 8080 because it is already in use by another process on this system",
            "Port 8080 is in use by nginx (process 7)",
        ),
        (
            "Could not bind TCP port 80 because you don't have the appropriate permissions (for example",
            "This user may not open port 8080",
        ),
        ("Problem binding to port 80: Could not bind to IPv4 or IPv6.", "cannot be opened"),
        ("OSError: [Errno 28] No space left on device: '/x'", "The disk is full."),
        ("OSError: [Errno 30] Read-only file system: '/x'", "cannot write its files"),
        ("Another instance of Certbot is already running.", "asked for already"),
        (
            "An unexpected error occurred:\nrequests.exceptions.SSLError: HTTPSConnectionPool(host='a'):"
            " Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, '[SSL:"
            " CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid')))",
            "Set the clock of this machine",
        ),
        (
            "requests.exceptions.SSLError: (1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"
            " failed: unable to get local issuer certificate')",
            "is somebody in between",
        ),
        (
            "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='a', port=443): Max retries"
            " exceeded (NewConnectionError: [Errno -3] Temporary failure in name resolution')",
            "is this machine online",
        ),
        ("Hook '--manual-auth-hook' for h.example reported error code 7", "auth in certificates.hooks ended with code 7"),
        ("A thing that nobody has heard of", "certbot failed: A thing that nobody has heard of"),
        ("", "certbot failed: it does not say why"),
    ],
)  # fmt: skip
def test_what_certbot_says_itself(said, told):
    assert told in explain(said, HTTP).sentence


@pytest.mark.parametrize(
    ("type", "told"),
    [
        ("rejectedIdentifier", "does not certify one of the box's names: by policy."),
        ("caa", "A CAA record in DNS forbids"),
        ("serverInternal", "has trouble of its own: by policy."),
        ("externalAccountRequired", "choose another certificates.server"),
    ],
)
def test_what_the_authority_says_of_the_whole(type, told):
    assert told in of_acme(type, "by policy").sentence


@pytest.mark.parametrize(
    "detail", ["mail romeo@h.example", "\x1b[2J\0\r", "<script>" * 500, "ä" * 10_000, "%s {0}"]
)
def test_whatever_comes_is_fit_for_log_and_screen(detail):
    for sentence in (of_a_name("dns", detail), of_acme("x", detail).sentence):
        Sentence(sentence)
        assert re.search(r"\S", sentence)
