"""What scenes in rooms need."""

import itertools

MUC = "http://jabber.org/protocol/muc"
USER = f"{MUC}#user"
ADMIN = f"{MUC}#admin"
OWNER = f"{MUC}#owner"
CONFIG = f"{MUC}#roomconfig"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
_numbers = itertools.count(1)


def error(condition, type=None):
    kind = f" type='{type}'" if type else ""
    return f"<error{kind}><{condition} xmlns='{STANZAS}'/></error>"


def form(**fields):
    """A filled-in configuration; the prefix of the names is left out."""
    written = "".join(
        f"<field var='{var if '#' in var else 'muc#roomconfig_' + var}'>{_values(value)}</field>"
        for var, value in fields.items()
    )
    kind = f"<field var='FORM_TYPE'><value>{CONFIG}</value></field>"
    return f"<x xmlns='jabber:x:data' type='submit'>{kind}{written}</x>"


def _values(value):
    values = value if isinstance(value, list) else [value]
    return "".join(f"<value>{one}</value>" for one in values)


class Room:
    """A room by its name, new for every test."""

    def __init__(self, name=None):
        self.name = name or f"room{next(_numbers)}"
        self.jid = f"{self.name}@rooms.h"

    def nick(self, nick):
        return f"{self.jid}/{nick}"

    def join(self, client, nick, inside="", *, forget=True):
        """Enter; what comes by it is dropped."""
        client.sends(f"<presence to='{self.nick(nick)}'><x xmlns='{MUC}'>{inside}</x></presence>")
        if forget:
            client.settle_with(self)
            client.forget()

    def make(self, client, nick, **fields):
        """A new room, configured."""
        self.join(client, nick)
        self.configure(client, **fields)
        return self

    def configure(self, client, **fields):
        answer = self.owner(client, "set", form(**fields))
        assert answer.get("type") == "result", answer
        client.forget()

    def owner(self, client, type, inside=""):
        return self.ask(client, type, f"<query xmlns='{OWNER}'>{inside}</query>")

    def admin(self, client, type, inside):
        return self.ask(client, type, f"<query xmlns='{ADMIN}'>{inside}</query>")

    def ask(self, client, type, payload, to=None):
        """The answer to an IQ; everything that comes before it stays."""
        id = f"q{next(_numbers)}"
        client.sends(f"<iq type='{type}' id='{id}' to='{to or self.jid}'>{payload}</iq>")
        return client.answer(id)

    def says(self, client, body, **more):
        id = more.get("id", f"m{next(_numbers)}")
        client.sends(
            f"<message to='{self.jid}' type='groupchat' id='{id}'>"
            f"<body>{body}</body>{more.get('inside', '')}</message>"
        )

    def leave(self, client, nick):
        client.sends(f"<presence to='{self.nick(nick)}' type='unavailable'/>")
        client.settle_with(self)


def condition(answer):
    """The condition of an error and its type."""
    problem = answer.find("{jabber:client}error")
    if answer.get("type") != "error" or problem is None:
        return None
    return problem[0].tag.rpartition("}")[2], problem.get("type")
