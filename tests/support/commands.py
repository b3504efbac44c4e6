"""Ad-hoc commands in scenes (XEP-0050): forms are filled in as Python keyword arguments."""

COMMANDS = "http://jabber.org/protocol/commands"
ADMIN = "http://jabber.org/protocol/admin"
DATA = "jabber:x:data"


def command(node, action=None, sessionid=None, values=None, to="h", id="c"):
    """The IQ; `values` are lists by field, None for no form."""
    attributes = f" action='{action}'" if action else ""
    attributes += f" sessionid='{sessionid}'" if sessionid else ""
    form = ""
    if values is not None:
        fields = "".join(
            f"<field var='{var}'>{''.join(f'<value>{v}</value>' for v in many)}</field>"
            for var, many in values.items()
        )
        form = f"<x xmlns='{DATA}' type='submit'>{fields}</x>"
    return (
        f"<iq type='set' id='{id}' to='{to}'>"
        f"<command xmlns='{COMMANDS}' node='{node}'{attributes}>{form}</command></iq>"
    )


class Admin:
    """Runs administrators' commands for a client of theirs; returns the <command/> at the end."""

    def __init__(self, client, to="h"):
        self.client = client
        self.to = to

    def begins(self, name):
        self.client.sends(command(f"{ADMIN}#{name}", "execute", to=self.to))
        return self.answer()

    def runs(self, name, **values):
        """Through the form, if there are values; `_` stands for - in fields."""
        first = self.begins(name)
        if not values:
            return first
        assert first.get("status") == "executing"
        offered = {field.get("var") for field in first.iter(f"{{{DATA}}}field")}
        given = {var.replace("_verify", "-verify"): many for var, many in values.items()}
        assert set(given) <= offered
        self.submits(name, first.get("sessionid"), given)
        return self.answer()

    def submits(self, name, sessionid, given):
        lists = {var: [many] if isinstance(many, str) else many for var, many in given.items()}
        node = f"{ADMIN}#{name}"
        self.client.sends(command(node, "complete", sessionid, lists, to=self.to))

    def answer(self):
        """The command of the result that comes; what comes before it is dropped."""
        answer = self.client.next()
        while answer.get("id") != "c":
            answer = self.client.next()
        assert answer.get("type") == "result", answer[-1][0].tag
        return answer[0]


def succeeded(done):
    return done.get("status") == "completed" and not errors(done)


def errors(done):
    notes = done.findall(f"{{{COMMANDS}}}note")
    return [note.text for note in notes if note.get("type") == "error"]


def field(done, var):
    """The values of a field in a result or a form."""
    for one in done.iter(f"{{{DATA}}}field"):
        if one.get("var") == var:
            return [value.text for value in one.findall(f"{{{DATA}}}value")]
    return None
