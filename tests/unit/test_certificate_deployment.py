"""A certificate and its key change together: whoever reads, and whoever is killed in the middle."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from hausbote.certs.authority import make_certificates
from hausbote.certs.deployment import deploy, deployed
from hausbote.certs.pair import read_pair
from hausbote.net.outgoing_tls import OutgoingTls
from hausbote.net.tls import CertificateFiles, TlsShelf, channel_bindings
from hausbote.xmpp.sasl import server_end_point

TOUCHES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "shutil.rmtree")


@pytest.fixture
def pairs(authority, tmp_path):
    """Three pairs, as the authority gives them."""
    made = []
    for number in range(3):
        directory = tmp_path / f"given{number}"
        directory.mkdir()
        chain, key = authority.issue("house.example").write(directory, "box")
        made.append((chain.read_bytes(), key.read_bytes()))
    return made


@pytest.fixture
def certs(tmp_path):
    """certs/ as `hausbote init` leaves it."""
    directory = tmp_path / "certs"
    directory.mkdir()
    make_certificates(directory, ["house.example"], [])
    return directory


def whole(certs):
    """What services read; AssertionError if it does not belong together."""
    assert read_pair(certs / "box.pem", certs / "box.key") is not None
    return deployed(certs)


def test_a_pair_takes_the_place_of_the_first_one(certs, pairs):
    first = whole(certs)
    deploy(certs, *pairs[0])
    assert whole(certs) == pairs[0]
    kept = [p for p in (certs / "pairs").iterdir() if p.name.startswith("own-")]
    assert [(p / "chain.pem").read_bytes() for p in kept] == [first[0]]
    assert (certs / "box.key").stat().st_mode & 0o777 == 0o600


def test_the_one_before_stays_for_who_is_reading_it_and_older_ones_go(certs, pairs):
    for pair in pairs:
        deploy(certs, *pair)
    chains = {(p / "chain.pem").read_bytes() for p in (certs / "pairs").iterdir()}
    assert {pairs[1][0], pairs[2][0]} < chains
    assert pairs[0][0] not in chains


def test_files_that_the_owner_has_put_there_again_are_kept(certs, pairs):
    deploy(certs, *pairs[0])
    for name, content in zip(("box.pem", "box.key"), pairs[1], strict=True):
        (certs / name).unlink()
        (certs / name).write_bytes(content)
    deploy(certs, *pairs[2])
    assert whole(certs) == pairs[2]
    kept = [p for p in (certs / "pairs").iterdir() if p.name.startswith("own-")]
    assert pairs[1][0] in [(p / "chain.pem").read_bytes() for p in kept]


def test_a_missing_pair_is_put_there(certs, pairs):
    (certs / "box.pem").unlink()
    (certs / "box.key").unlink()
    deploy(certs, *pairs[0])
    assert whole(certs) == pairs[0]


def _killed_at(step, certs, pair):
    """Whether a process that deploys was killed when it was about to touch the disk for that time."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(event, _arguments):
            if event in TOUCHES:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            deploy(certs, *pair)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("before", ["first", "later", "owner's again"])
def test_a_kill_at_any_point_leaves_a_whole_pair_and_the_next_time_ends_it(
    certs, pairs, tmp_path, before
):
    if before != "first":
        deploy(certs, *pairs[0])
    if before == "owner's again":
        for name, content in zip(("box.pem", "box.key"), pairs[1], strict=True):
            (certs / name).unlink()
            (certs / name).write_bytes(content)
    old, seen = whole(certs), set()
    for step in range(1, 100):
        copy = tmp_path / f"copy{step}"
        shutil.copytree(certs, copy, symlinks=True)
        was_killed = _killed_at(step, copy, pairs[2])
        found = whole(copy)
        assert found in (old, pairs[2]), step
        seen.add(found)
        deploy(copy, *pairs[2])
        assert whole(copy) == pairs[2]
        assert not list(copy.rglob("*.part")), step
        if not was_killed:
            break
    assert step > 8  # there were as many steps, ...
    assert seen == {old, pairs[2]}  # ... before the change and after it


SWAPS = r"""
    import sys
    from pathlib import Path
    from hausbote.certs.deployment import deploy
    certs, *given = map(Path, sys.argv[1:])
    pairs = [((one / "box.pem").read_bytes(), (one / "box.key").read_bytes()) for one in given]
    for number in range(120):
        chain, key = pairs[number % len(pairs)]
        deploy(certs, chain + b"# %d\n" % number, key)  # no two are the same, as with authorities
"""


def test_who_reads_while_it_changes_always_gets_a_pair(certs, pairs, tmp_path):
    deploy(certs, *pairs[0])
    files = CertificateFiles(certs / "box.pem", certs / "box.key")
    given = [str(tmp_path / f"given{number}") for number in range(3)]
    swaps = textwrap.dedent(SWAPS)
    swapping = subprocess.Popen([sys.executable, "-c", swaps, str(certs), *given])
    reads = 0
    while swapping.poll() is None:
        TlsShelf(files, {"house.example": files})  # CertificateError would end the test
        OutgoingTls(files, {})
        reads += 1
    assert swapping.returncode == 0
    assert reads > 10


def test_what_a_channel_is_bound_to_is_the_certificate_that_is_shown(certs, pairs, tmp_path):
    deploy(certs, *pairs[0])
    files = CertificateFiles(certs / "box.pem", certs / "box.key")
    given = [str(tmp_path / f"given{number}") for number in range(3)]
    swaps = textwrap.dedent(SWAPS)
    swapping = subprocess.Popen([sys.executable, "-c", swaps, str(certs), *given])
    while swapping.poll() is None:
        server = TlsShelf(files, {}).connection()
        client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
        client.set_connect_state()
        for _ in range(3):
            for one, other in ((client, server), (server, client)):
                _step(one)
                _pass(one, other)
        shown = client.get_peer_certificate(as_cryptography=True)
        expected = server_end_point(shown.public_bytes(Encoding.DER))
        assert channel_bindings(server)["tls-server-end-point"] == expected
    assert swapping.returncode == 0


def _step(one):
    with contextlib.suppress(SSL.WantReadError):
        one.do_handshake()


def _pass(one, other):
    with contextlib.suppress(SSL.WantReadError):
        other.bio_write(one.bio_read(65_536))
