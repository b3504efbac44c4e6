"""What administrators see and do: people, storage, the box."""

import threading
import time

import gevent
import pytest

from hausbote.base.acme_record import AcmeRecord, write_record
from hausbote.base.backup_record import note_failure
from hausbote.turn.coturn import Place
from support.portal import PortalWorld, heading, words


@pytest.fixture
def owner(portal):
    return portal.browser_of("juliet")


def act(owner, local, do):
    owner.get(f"/people/{local}")
    return owner.post(f"/people/{local}", do=do)


def test_the_first_page_says_what_needs_somebody(portal, owner, monkeypatch):
    monkeypatch.setattr("hausbote.portal.needs.query_status", lambda *_: {})
    page = owner.get("/")
    assert heading(page) == "One thing needs you"
    assert "There are no backups." in words(page)
    monkeypatch.setattr("hausbote.portal.needs.query_status", lambda *_: None)
    page = owner.get("/")
    assert "does not answer: c2s, rooms" in words(page)


def test_people_are_listed_with_what_is_known(owner):
    assert heading(owner.get("/people")) == "Two people have an account"
    page = words(owner.get("/people/romeo"))
    assert "romeo@box.local" in page
    assert "member" in page
    assert "not yet" in page
    assert owner.get("/people/nobody").status_code == 404


def test_somebody_is_locked_out_and_let_in_again(portal, owner):
    his = portal.browser_of("romeo")
    assert act(owner, "romeo", "lock").headers["Location"] == "/people/romeo"
    assert his.get("/me").status_code == 303
    assert "romeo is locked" in words(owner.get("/people/romeo"))
    act(owner, "romeo", "unlock")
    assert portal.browser().log_in("romeo").status_code == 303


def test_roles_are_given_and_taken(portal, owner):
    act(owner, "romeo", "administrator")
    his = portal.browser_of("romeo")
    assert his.get("/people").status_code == 200
    act(owner, "romeo", "member")
    assert his.get("/people").status_code == 403


@pytest.mark.parametrize("do", ["lock", "member", "administrator", "unlock", "nonsense"])
def test_the_last_administrator_cannot_be_lost(portal, owner, do):
    assert act(owner, "juliet", do).status_code == 409
    assert portal.store.accounts.admins() == ["juliet"]


def test_names_of_all_scripts_have_a_page(portal, owner):
    portal.add_account("юлия")
    assert heading(owner.get("/people/%D1%8E%D0%BB%D0%B8%D1%8F")) == "юлия"
    answer = act(owner, "%D1%8E%D0%BB%D0%B8%D1%8F", "lock")
    assert answer.headers["Location"] == "/people/%D1%8E%D0%BB%D0%B8%D1%8F"


def test_storage_and_the_box_are_told_in_sentences(portal, owner):
    assert heading(owner.get("/storage")).startswith("There is room for ")
    page = words(owner.get("/box"))
    assert "The box talks with none" in page
    assert "c2s: does not answer" in page  # it is in this process, and has no socket


def test_two_administrators_who_demote_each_other_at_once_leave_one(portal, owner):
    portal.store.accounts.set_admin("romeo", True)
    his = portal.browser_of("romeo")
    his.get("/people/juliet")
    owner.get("/people/romeo")
    gevent.joinall(
        [
            gevent.spawn(his.post, "/people/juliet", do="member"),
            gevent.spawn(owner.post, "/people/romeo", do="lock"),
        ]
    )
    assert len(portal.store.accounts.admins()) == 1


def test_names_in_dns_are_looked_up_where_nobody_waits_for_them(tmp_path, monkeypatch):
    asked_in = []

    def slow(settings):
        asked_in.append(threading.get_ident())
        return Place((), None, ())

    monkeypatch.setattr("hausbote.inspection.records.place", slow)
    world = PortalWorld(tmp_path, domain="verona.example")
    try:
        assert world.browser_of("juliet").get("/setup/names").status_code == 200
    finally:
        world.close()
    assert asked_in
    assert threading.get_ident() not in asked_in


def test_what_other_parts_have_written_down_is_in_the_readers_language(tmp_path):
    backup = {"repository": "/media/usb"}
    world = PortalWorld(tmp_path, domain="verona.example", backup=backup)
    try:
        settings = world.settings
        for directory in (settings.backup_dir, settings.acme_record.parent):
            directory.mkdir(exist_ok=True)
        failure = "There is no repository at /media/usb: is its disk connected and mounted?"
        note_failure(settings.backup_dir, time.time(), failure)
        problem = "Let's Encrypt cannot be reached: is this machine online, and does DNS work?"
        write_record(settings.acme_record, AcmeRecord(problem=problem))
        owner = world.browser_of("juliet")
        told = words(owner.get("/box"))
        assert told.count(failure) == 2
        assert problem in told
        owner.language = "de"
        told = words(owner.get("/box"))
        assert told.count("Unter /media/usb ist kein Repository") == 2
        assert "Let's Encrypt ist nicht erreichbar: Ist dieses Gerät online" in told
        assert "Let's Encrypt ist nicht erreichbar" in words(owner.get("/setup/certificate"))
    finally:
        world.close()
