"""The hausbote command: what its users see, and what it leaves behind."""

import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import time
import tomllib
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from hausbote.base.believed_clock import write_mark
from hausbote.base.holder import holder
from hausbote.base.settings import Settings
from hausbote.certs.authority import make_certificates
from hausbote.cli import preflight
from hausbote.storage import open_store
from hausbote.turn.secrets import secrets_of
from hausbote.xmpp.expat import advice, outdated
from support.ports import free_ports
from support.worlds import HAUSBOTE, RunningWorld, hausbote

ADDRESS = "127.0.0.21"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """A box that nobody has started; what tests do to it stays in their own accounts."""
    state = tmp_path_factory.mktemp("cli") / "state"
    hausbote("init", "--domain", "house.example", "--address", ADDRESS, state=state)
    return state


def add(box, name, *options, password="correct horse"):
    return hausbote("user", "add", name, "--password-stdin", *options, state=box, input=password)


def keys(box, local):
    with closing(open_store(Settings.load(box).database_url)) as store:
        return store.accounts.keys(local, "SHA-256")


def accounts(box):
    lines = hausbote("user", "list", "--json", state=box).stdout.splitlines()
    return {one["jid"]: one for one in map(json.loads, lines)}


def refused(*arguments, state, input=None, code=1):
    """What the command says when it cannot do something: sentences, no traceback."""
    done = hausbote(*arguments, state=state, input=input, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    return done.stderr


# -- init --------------------------------------------------------------------------------------


def test_a_new_box_is_for_its_owner_only(box):
    mode = stat.S_IMODE(box.stat().st_mode)
    assert mode == 0o700
    assert sorted(path.name for path in box.iterdir() if path.is_dir()) == [
        "certs",
        "log",
        "relay",
        "run",
    ]
    for secret in ("certs/ca.key", "certs/box.key", "hausbote.db", "relay/secrets.db"):
        assert stat.S_IMODE((box / secret).stat().st_mode) == 0o600


def test_a_box_is_not_made_twice(box):
    before = (box / "certs" / "ca.pem").read_bytes()
    said = refused("init", "--domain", "house.example", state=box)
    assert len(said.splitlines()) == 1
    assert (box / "certs" / "ca.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--domain", "a b"], "--domain"),
        (["--domain", "192.168.1.5"], "IP address"),
        (["--domain", "h", "--address", "house"], "address"),
        (["--domain", "h", "--set", "registration"], "section.key=value"),
        (["--domain", "h", "--set", "registration=never"], "registration"),
        (["--domain", "h", "--set", "language=a\x7fb"], "language"),
        (["--domain", "h", "--set", "ports.c2=1"], "ports.c2s"),
    ],
)
def test_a_wrong_choice_leaves_nothing_behind(tmp_path, arguments, named):
    said = refused("init", *arguments, state=tmp_path / "state")
    assert named in said
    assert list(tmp_path.iterdir()) == []


def test_every_wrong_choice_is_told(tmp_path):
    choices = ["--set", "registration=never", "--set", "ports.c2s=5223", "--set", "address=x"]
    said = refused("init", "--domain", "h", *choices, state=tmp_path / "state")
    assert {line.partition(":")[0] for line in said.splitlines()} == {
        "registration",
        "address",
        "ports.c2s_tls",
    }


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in refused("init", "--domain", "h", state=tmp_path / "file" / "state")


def test_a_box_that_cannot_be_finished_leaves_nothing_behind(tmp_path):
    options = ["--domain", "h", "--set", "database=sqlite:///nowhere/h.db"]
    assert "could not be made" in refused("init", *options, state=tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_choices_are_in_force_afterwards(tmp_path):
    choices = [
        "registration=open",
        "ports.c2s=5333",
        'names={rooms="talk.h"}',
        "limits.burst_bytes=0",
    ]
    options = [word for one in choices for word in ("--set", one)]
    hausbote("init", "--domain", "H.", *options, state=tmp_path / "state")
    settings = Settings.load(tmp_path / "state")
    assert (settings.domain, settings.registration, settings.ports.c2s) == ("h", "open", 5333)
    assert (settings.names.rooms, settings.limits.burst_bytes) == ("talk.h", 0)


# -- certificates ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["straße.example", "rooms.straße.example"], ["127.0.0.1", "::1"])
    return directory


def handshake(certs, name):
    """Both ends of a TLS connection in memory; the client checks as strictly as it can."""
    client_context = ssl.create_default_context(cafile=certs / "ca.pem")
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certs / "box.pem", certs / "box.key")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.getpeercert()


@pytest.mark.parametrize(
    "name", ["xn--strae-oqa.example", "rooms.xn--strae-oqa.example", "127.0.0.1", "::1"]
)
def test_a_strict_client_accepts_the_certificate_for_every_name(certs, name):
    assert handshake(certs, name)


def test_a_strict_client_refuses_the_certificate_for_another_name(certs):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certs, "other.example")


def test_the_certificate_is_what_public_authorities_would_issue(certs):
    leaf, ca = x509.load_pem_x509_certificates((certs / "box.pem").read_bytes())
    store = Store(x509.load_pem_x509_certificates((certs / "ca.pem").read_bytes()))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    verifier = (
        PolicyBuilder().store(store).build_server_verifier(x509.DNSName("xn--strae-oqa.example"))
    )
    assert verifier.verify(leaf, [ca])


# -- config ------------------------------------------------------------------------------------


def test_shown_settings_are_the_settings(box):
    shown = tomllib.loads(hausbote("config", "show", state=box).stdout)
    assert Settings.from_dict(shown, box) == Settings.load(box)
    assert shown["names"]["rooms"] == "rooms.house.example"
    assert shown["limits"]["stanza_bytes"] == 262_144


def test_a_check_names_everything_that_is_wrong(box, tmp_path):
    assert "fine" in hausbote("config", "check", state=box).stdout
    (tmp_path / "hausbote.toml").write_text(
        "domain = 5\n[logs]\nlevel = 'info'\n[ports]\nc2s = 5223"
    )
    said = refused("config", "check", state=tmp_path)
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "domain",
        "logs",
        "ports.c2s_tls",
    ]


def test_a_check_names_files_that_are_not_there(tmp_path):
    missing = ["tls.trust=['friends.pem']", "tls.revoked=['/nowhere/list.pem']"]
    secrets = ["components.secrets=['bridge.h=file:bridge.secret']"]
    choices = [argument for one in missing + secrets for argument in ("--set", one)]
    made = hausbote("init", "--domain", "h", *choices, state=tmp_path / "box").stdout
    said = refused("config", "check", state=tmp_path / "box")
    named = ["tls.trust", "tls.revoked", "components.secrets"]
    for told in (said.splitlines(), made.splitlines()[1:]):
        assert [line.partition(":")[0] for line in told] == named
        assert "No such file" in told[0]
    (tmp_path / "box" / "certs" / "box.key").unlink()
    assert "tls.key: " in refused("config", "check", state=tmp_path / "box")


def test_a_check_tells_of_what_was_changed_behind_a_hash(tmp_path):
    hausbote("init", "--domain", "h", "--set", "ports.web=5444", state=tmp_path / "box")
    file = tmp_path / "box" / "hausbote.toml"
    text = file.read_text()
    number = text.splitlines().index("#c2s = 5222") + 1
    assert hausbote("config", "check", state=tmp_path / "box").stdout == "The settings are fine.\n"
    changed = text.replace("#c2s = 5222", "# c2s = 5299").replace(
        "web = 5444", "web = 5444\n# web = 1"
    )
    file.write_text(changed + "# level = unquoted\n# what = this\n")
    note, fine = hausbote("config", "check", state=tmp_path / "box").stdout.splitlines()
    assert fine == "The settings are fine."
    assert note.startswith(f"ports.c2s: line {number} is a comment, so 5299 is not in force")


def test_a_list_is_shown_as_it_is_written(tmp_path):
    wrong = ["--set", "web.origins=https://chat.example.org"]
    said = refused("init", "--domain", "h", *wrong, state=tmp_path / "box")
    assert 'must be a list of texts: ["one", "two"]' in said
    assert '\'web.origins=["https://a", "https://b"]\'' in " ".join(
        hausbote("init", "--help", state=tmp_path).stdout.split()
    )


def test_a_box_that_is_not_there_is_told_with_what_to_do(tmp_path):
    assert "hausbote init" in refused("config", "check", state=tmp_path / "nowhere")


@pytest.mark.parametrize("arguments", [["status"], ["run"], ["user", "list"]])
def test_no_command_works_with_wrong_settings(tmp_path, arguments):
    (tmp_path / "hausbote.toml").write_text("domain = 'h'\nregistration = 'perhaps'")
    assert refused(*arguments, state=tmp_path).startswith("registration:")


def test_the_state_can_stand_after_the_command_or_in_the_environment(box, tmp_path):
    assert "fine" in hausbote("config", "check", "--state", str(box), state=tmp_path).stdout
    environment = os.environ | {"HAUSBOTE_STATE": str(box)}
    subprocess.run([*HAUSBOTE, "config", "check"], env=environment, cwd=tmp_path, check=True)


# -- user --------------------------------------------------------------------------------------


def test_an_account_is_made_listed_and_deleted(box):
    add(box, "Juliet@house.example", "--admin")
    assert accounts(box)["juliet@house.example"]["admin"] is True
    assert "juliet@house.example (admin)" in hausbote("user", "list", state=box).stdout
    hausbote("user", "delete", "juliet@house.example", state=box)
    assert "juliet@house.example" not in accounts(box)
    assert "no account" in refused("user", "delete", "juliet@house.example", state=box)


def test_an_account_is_not_made_twice(box):
    add(box, "twice@house.example")
    before = keys(box, "twice")
    add_again = ["user", "add", "twice@house.example", "--password-stdin"]
    assert "exists already" in refused(*add_again, state=box, input="other")
    assert keys(box, "twice") == before


@pytest.mark.parametrize(
    "jid",
    ["romeo", "romeo@other.example", "house.example", "a b@house.example", "a@house.example/x"],
)
def test_an_address_that_is_not_of_this_box_is_refused(box, jid):
    said = refused("user", "add", jid, "--password-stdin", state=box, input="x")
    assert len(said.splitlines()) == 1


def test_a_password_is_changed(box):
    add(box, "changing@house.example")
    before = keys(box, "changing")
    hausbote(
        "user", "passwd", "changing@house.example", "--password-stdin", state=box, input="another"
    )
    assert keys(box, "changing").stored_key != before.stored_key


def test_a_locked_account_has_no_keys_until_it_is_unlocked(box):
    add(box, "locked@house.example")
    before = keys(box, "locked")
    hausbote("user", "lock", "locked@house.example", state=box)
    assert keys(box, "locked") is None
    assert accounts(box)["locked@house.example"]["locked"] is True
    hausbote("user", "unlock", "locked@house.example", state=box)
    assert keys(box, "locked") == before


@pytest.mark.parametrize("password", ["", "\x07", "\n"])
def test_what_cannot_be_a_password_is_refused(box, password):
    said = refused("user", "add", "x@house.example", "--password-stdin", state=box, input=password)
    assert "password" in said
    assert "x@house.example" not in accounts(box)


def test_without_a_terminal_nobody_is_asked_for_a_password(box):
    said = refused("user", "add", "x@house.example", state=box, input="secret\nsecret\n")
    assert "--password-stdin" in said


def test_accounts_are_imported_from_a_file_and_from_standard_input(box, tmp_path):
    lines = [f"import{number}@house.example a pass word {number}" for number in range(3)]
    (tmp_path / "list").write_text("\n".join(lines[:2]) + "\n\n")
    assert "2 accounts" in hausbote("user", "import", str(tmp_path / "list"), state=box).stdout
    assert "1 account" in hausbote("user", "import", "-", state=box, input=lines[2]).stdout
    assert {f"import{number}@house.example" for number in range(3)} <= set(accounts(box))


def test_an_import_names_bad_lines_and_imports_nothing(box):
    lines = "good@house.example x\nbad@other x\nnopassword@house.example\n\nsign@house.example \x07"
    said = refused("user", "import", "-", state=box, input=f"{lines}\ngood@house.example y\n")
    named = [line.partition(":")[0] for line in said.splitlines()]
    assert named == ["line 2", "line 3", "line 5", "line 6"]
    assert "good@house.example" not in accounts(box)


def test_a_file_that_is_not_utf8_is_told_by_line(box, tmp_path):
    (tmp_path / "list").write_bytes(b"latin@house.example gr\xfcn\n")
    assert "line 1:" in refused("user", "import", str(tmp_path / "list"), state=box)


def test_an_import_leaves_existing_accounts_alone(box):
    add(box, "already@house.example")
    before = keys(box, "already")
    lines = "already@house.example other\nfresh@house.example x\n"
    assert "already" in refused("user", "import", "-", state=box, input=lines)
    assert keys(box, "already") == before
    assert "fresh@house.example" in accounts(box)


# -- before a start ----------------------------------------------------------------------------


def checked(tmp_path, **raw):
    """What a start would be refused for, in a box with these settings."""
    (tmp_path / "certs").mkdir()
    make_certificates(tmp_path / "certs", [raw.pop("certified", "h")], [])
    names = ("c2s", "c2s_tls", "web", "s2s", "s2s_tls", "upload", "proxy")
    ports = dict(zip(names, free_ports(ADDRESS, len(names)), strict=True))
    base = {"domain": "h", "address": ADDRESS, "ports": ports, "relay": {"run": "off"}}
    return lambda: list(preflight.problems(Settings.from_dict(base | raw, tmp_path)))


def test_nothing_is_wrong_with_a_box_that_can_start(tmp_path):
    assert checked(tmp_path)() == []


def test_a_port_in_use_is_told_with_the_program_that_holds_it(tmp_path):
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        problems = checked(tmp_path, ports={"c2s": port, "c2s_tls": 0, "web": 0})()
    (problem,) = problems
    assert f"Port {port} on {ADDRESS}" in problem
    assert f"process {os.getpid()}" in problem


def test_the_same_port_of_another_address_is_free(tmp_path):
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"c2s": port, "c2s_tls": 0, "web": 0}
        assert checked(tmp_path, address="127.0.0.22", ports=ports)() == []
        assert holder("127.0.0.22", port) == "another program"
        assert str(os.getpid()) in holder("0.0.0.0", port)
        assert str(os.getpid()) in holder("::", port)


def test_an_address_that_this_machine_does_not_have_is_told(tmp_path):
    problems = checked(tmp_path, address="192.0.2.1")()
    assert len(problems) == 9
    assert all("192.0.2.1 cannot be used" in problem for problem in problems)


def test_authorities_that_cannot_be_read_are_told(tmp_path):
    (problem,) = checked(tmp_path, tls={"trust": ["friends.pem"]})()
    assert "friends.pem cannot be read" in problem


def test_a_certificate_for_another_name_is_told(tmp_path):
    (problem,) = checked(tmp_path, certified="other.example")()
    assert "not for h" in problem


def test_a_missing_or_foreign_key_is_told(tmp_path):
    problems = checked(tmp_path)
    (tmp_path / "certs" / "box.key").write_bytes((tmp_path / "certs" / "ca.key").read_bytes())
    assert "cannot be used" in problems()[0]
    (tmp_path / "certs" / "box.key").unlink()
    assert problems()[0].endswith("box.key: No such file or directory")


@pytest.mark.parametrize("name", ["box.pem", "box.key"])
@pytest.mark.parametrize("content", [None, "", "not PEM", "-----BEGIN CERTIFICATE-----\n"])
def test_what_openssl_says_to_itself_reaches_nobody(tmp_path, name, content):
    problems = checked(tmp_path)
    file = tmp_path / "certs" / name
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    told = problems()[0]
    assert " lib" not in told
    assert ": ;" not in told
    assert not told.rstrip().endswith(":")


def test_a_bus_inside_one_process_is_refused(tmp_path):
    (problem,) = checked(tmp_path, bus="memory:")()
    assert problem.startswith("bus:")


# -- a box that does not run -------------------------------------------------------------------


def test_the_status_of_a_box_that_does_not_run(box):
    assert "is not running" in refused("status", state=box, code=3)


def test_a_command_that_does_not_exist_is_told(box):
    assert "No such command" in refused("strat", state=box, code=2)


# -- a box that runs ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """In a place whose name is long and full of punctuation, its bus in a directory of its own."""
    place = tmp_path_factory.mktemp("running") / ("deep" * 30) / 'our "box" 100% ; #1'
    world = RunningWorld(place, "bus=unix:sockets", address=ADDRESS, portal=True)
    yield world
    world.close()


def test_the_status_tells_of_every_service(running):
    services = json.loads(hausbote("status", "--json", state=running.state).stdout)
    assert [one["service"] for one in services] == ["c2s", "portal", "rooms", "turn", "upload"]
    for one in services:
        assert one["state"] == "running"
        assert one["memory"] > 1_000_000
        assert one["handled"] <= 1  # the rooms hear that c2s was started
    assert [one["sessions"] for one in services] == [0, None, 0, None, 0]
    assert services[3]["memory"] < 25_000_000  # it loads no XML, no TLS and no store
    table = hausbote("status", state=running.state).stdout.splitlines()
    assert table[0].split() == ["service", "state", "uptime", "memory", "sessions", "handled"]
    assert table[1].split()[:2] == ["c2s", "running"]
    old = outdated()
    logged = (Settings.load(running.state).log_dir / "c2s.log").read_text()
    assert ((advice(old) in table), ("xml-parser-old" in logged)) == (bool(old), bool(old))


def test_a_start_tells_what_it_waits_for_and_for_how_long(running):
    said = [line.rstrip() for line in running.said]
    begin, *ready = said[: said.index("Hausbote runs for h.")]
    assert begin == "Starting c2s, rooms, upload, turn, portal ..."
    form = r"  [0-9]+\.[0-9] s: ([\w, ]+) (is|are) ready(, waiting for .+|: all are there)"
    told = [name for line in ready for name in re.fullmatch(form, line)[1].split(", ")]
    assert sorted(told) == ["c2s", "portal", "rooms", "turn", "upload"]
    assert [line.endswith(": all are there") for line in ready] == [False] * (len(ready) - 1) + [
        True
    ]


def test_a_box_is_not_started_twice(running):
    assert "is running already" in refused("run", state=running.state)


def test_a_second_box_on_the_same_ports_is_told_who_holds_them(running, tmp_path):
    taken = {"c2s": running.port, "c2s_tls": running.tls_port, "web": running.web_port}
    options = ["--domain", "h", "--address", ADDRESS, "--set", "relay.run=off"]
    for name, port in taken.items():
        options += ["--set", f"ports.{name}={port}"]
    hausbote("init", *options, state=tmp_path / "state")
    said = refused("run", state=tmp_path / "state").splitlines()
    assert [line.split()[1] for line in said] == [str(port) for port in taken.values()]
    assert all(" (process " in line for line in said)


def test_stopping_a_box_stops_everything(running):
    hausbote("status", state=running.state)
    running.stop()
    assert running.process.returncode == 0
    refused("status", state=running.state, code=3)
    with socket.create_server((ADDRESS, running.port)):
        pass
    running.start()


def test_a_box_without_coturn_runs_and_says_what_calls_need(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    box = RunningWorld(tmp_path / "state", "relay.run=here", address=ADDRESS)
    try:
        assert any("apt install coturn" in line for line in box.said)
        assert "relay-missing" in box.log("turn")
        services = json.loads(hausbote("status", "--json", state=box.state).stdout)
        assert "relay" not in [one["service"] for one in services]
    finally:
        box.close()


def test_a_relay_that_does_not_start_keeps_nothing_else_from_running(tmp_path, monkeypatch):
    broken = tmp_path / "turnserver"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    port, tls = free_ports(ADDRESS, 2)
    box = RunningWorld(
        tmp_path / "state",
        "relay.run=here",
        f"ports.relay={port}",
        f"ports.relay_tls={tls}",
        address=ADDRESS,
    )
    try:
        done = hausbote("status", "--json", state=box.state, check=False)
        assert done.returncode == 1
        states = {one["service"]: one["state"] for one in json.loads(done.stdout)}
        assert states.pop("relay") in ("starting", "backoff", "fatal")
        assert set(states.values()) == {"running"}
    finally:
        box.close()


def test_the_relays_ports_in_use_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name, **_k: f"/usr/bin/{name}")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.create_server((ADDRESS, 0)) as tcp,
    ):
        udp.bind((ADDRESS, 0))
        ports = {"c2s": 0, "c2s_tls": 0, "web": 0}
        ports |= {"relay": udp.getsockname()[1], "relay_tls": tcp.getsockname()[1]}
        problems = checked(tmp_path, ports=ports, relay={"run": "here"})()
    assert [problem.split()[1] for problem in problems] == [
        str(ports["relay"]),
        str(ports["relay_tls"]),
    ]


# -- the relay ---------------------------------------------------------------------------------


def test_the_relays_configuration_has_what_the_settings_say(box):
    printed = hausbote("relay", "config", state=box).stdout
    assert "realm=house.example" in printed
    assert f"listening-ip={ADDRESS}" in printed
    (secret,) = secrets_of(Settings.load(box)).all()
    assert f"static-auth-secret={secret}" in printed


def test_changing_the_relays_secret_keeps_the_old_one_for_a_while(box):
    (before,) = secrets_of(Settings.load(box)).all()
    assert "changed" in hausbote("relay", "rotate", state=box).stdout
    after, kept = secrets_of(Settings.load(box)).all()
    assert kept == before != after
    hausbote("relay", "rotate", "--now", state=box)
    (last,) = secrets_of(Settings.load(box)).all()
    assert last not in (before, after)


@pytest.mark.parametrize("command", ["config", "rotate"])
def test_a_box_without_a_relay_has_nothing_to_tell_of_it(tmp_path, command):
    hausbote("init", "--domain", "h", "--set", "relay.run=off", state=tmp_path / "state")
    assert "relay.run is off" in refused("relay", command, state=tmp_path / "state")


def test_a_service_that_does_not_start_is_told_with_its_last_words(running):
    running.stop()
    stray = [sys.executable, "-m", "hausbote.rooms", "--state", str(running.state)]
    with started(stray) as holding:
        assert any("service-started" in line for line in holding.stderr)
        with started([*HAUSBOTE, "--state", str(running.state), "run"]) as box:
            _, said = box.communicate(timeout=50)
    running.start()
    assert box.returncode == 1
    assert said.startswith("rooms does not start")
    assert len(said.splitlines()) > 1


@contextmanager
def started(command):
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def test_by_a_clock_that_is_doubted_nothing_is_purged(box):
    mark = Settings.load(box).clock_mark
    write_mark(mark, time.time() - 400 * 86_400)
    try:
        refused = hausbote("purge", "--days", "30", "--yes", state=box, check=False)
        assert refused.returncode == 1
        assert "Nothing was deleted: the clock of this machine says" in refused.stderr
        hausbote("clock", "accept", state=box)
        hausbote("purge", "--days", "30", "--yes", state=box)
    finally:
        mark.unlink(missing_ok=True)
