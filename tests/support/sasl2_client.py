"""Logging in by SASL2, on top of the test client: what is sent is what the XEPs print."""

import base64
import hashlib
import hmac

from support.scram_client import ScramClient
from support.worlds import PASSWORD

SASL2 = "urn:xmpp:sasl:2"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
FAST = "urn:xmpp:fast:0"
BIND2 = "urn:xmpp:bind:0"
PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"
DESK = "0c1d7a2e-9b1f-4c53-8d0a-2f6f7f0f6a11"


def b64(data):
    return base64.b64encode(data).decode()


def user_agent(id=PHONE, software="AwesomeXMPP", device="Kiva's phone"):
    known = f" id='{id}'" if id else ""
    return (
        f"<user-agent{known}><software>{software}</software>"
        f"<device>{device.replace(chr(39), '&apos;')}</device></user-agent>"
    )


def bind2(tag="Awesome", inside=""):
    named = f"<tag>{tag}</tag>" if tag is not None else ""
    return f"<bind xmlns='{BIND2}'>{named}{inside}</bind>"


def request_token(mechanism="HT-SHA-256-NONE"):
    return f"<request-token xmlns='{FAST}' mechanism='{mechanism}'/>"


def authenticate(client, mechanism, initial, *extras):
    """Send <authenticate/>; the server's answer."""
    ask(client, mechanism, initial, *extras)
    return client.next(12)


def ask(client, mechanism, initial, *extras):
    """Send <authenticate/>."""
    response = "" if initial is None else f"<initial-response>{b64(initial)}</initial-response>"
    client.send(
        f"<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>{response}{''.join(extras)}</authenticate>"
    )


def log_in(
    client, *extras, user="romeo", password=PASSWORD, mechanism="SCRAM-SHA-256", binding=None
):
    """The whole SCRAM exchange on a stream that is open; the last answer."""
    scram = ScramClient(user, password, mechanism, binding=binding)
    answer = authenticate(client, mechanism, scram.first(), *extras)
    if answer.tag == f"{{{SASL2}}}challenge":
        final = scram.final(base64.b64decode(answer.text))
        client.send(f"<response xmlns='{SASL2}'>{b64(final)}</response>")
        answer = client.next(12)
    if answer.tag in (f"{{{SASL2}}}success", f"{{{SASL2}}}continue"):
        scram.verify(base64.b64decode(answer.findtext(f"{{{SASL2}}}additional-data")))
    welcome(client, answer)
    return answer


def token_login(client, token, *extras, binding=b"", **said):
    """One message with a token; the answer."""
    ask_by_token(client, token, *extras, binding=binding, **said)
    answer = client.next(12)
    if answer.tag == f"{{{SASL2}}}success":
        told = base64.b64decode(answer.findtext(f"{{{SASL2}}}additional-data"))
        assert told == hmac.digest(token.encode(), b"Responder" + binding, hashlib.sha256)
    welcome(client, answer)
    return answer


def ask_by_token(
    client, token, *extras, user="romeo", mechanism="HT-SHA-256-NONE", agent=PHONE, count=None,
    invalidate=None, binding=b"",
):  # fmt: skip
    """Send one message with a token."""
    hashed = hmac.digest(token.encode(), b"Initiator" + binding, hashlib.sha256)
    attributes = "".join(
        f" {name}='{value}'"
        for name, value in (("count", count), ("invalidate", invalidate))
        if value is not None
    )
    ask(
        client, mechanism, f"{user}\0".encode() + hashed,
        user_agent(agent), f"<fast xmlns='{FAST}'{attributes}/>", *extras,
    )  # fmt: skip


def welcome(client, answer):
    if answer.tag == f"{{{SASL2}}}success":
        client.jid = answer.findtext(f"{{{SASL2}}}authorization-identifier")


def token_of(success):
    found = success.find(f"{{{FAST}}}token")
    return None if found is None else found.get("token")


def succeeded(answer):
    return answer.tag == f"{{{SASL2}}}success"


def failure_of(answer):
    assert answer.tag == f"{{{SASL2}}}failure", answer.tag
    assert answer[0].tag.startswith(f"{{{SASL}}}")
    return answer[0].tag.partition("}")[2]
