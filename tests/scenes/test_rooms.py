"""Group chat from the first hello to the last goodbye."""

import pytest

from support.rooms import MUC, USER, Room


@pytest.fixture
def room():
    return Room()


def test_two_people_meet_talk_and_part(cast, room):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(f"<presence to='{room.nick('romeo')}'><x xmlns='{MUC}'/></presence>")
    romeo.receives(
        f"<presence from='{room.nick('romeo')}'><x xmlns='{USER}'>"
        "<item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/></x></presence>",
        f"<message from='{room.jid}' type='groupchat'><subject/></message>",
    )
    room.configure(romeo)
    juliet.sends(f"<presence to='{room.nick('juliet')}'><x xmlns='{MUC}'/></presence>")
    juliet.receives(
        f"<presence from='{room.nick('romeo')}'><x xmlns='{USER}'><item role='moderator'/></x></presence>",
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><status code='110'/></x></presence>",
        "<message type='groupchat'><subject/></message>",
    )
    romeo.receives(
        f"<presence from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='participant' affiliation='none'/></x></presence>"
    )
    room.says(juliet, "Hark!", id="hark")
    for client in (romeo, juliet):
        client.receives(
            f"<message from='{room.nick('juliet')}' to='{client.jid}' type='groupchat' id='hark'>"
            "<body>Hark!</body></message>"
        )
    room.leave(juliet, "juliet")
    juliet.receives(
        f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'>"
        "<item role='none'/><status code='110'/></x></presence>"
    )
    romeo.receives(
        f"<presence type='unavailable' from='{room.nick('juliet')}'><x xmlns='{USER}'><item role='none'/></x></presence>"
    )
    romeo.receives_nothing()
