"""Whether somebody knows the password of an account.

Looking takes processor time, and what guessing may cost is c2s' rule.  So c2s is asked whether one
more try may be made before it is, and tries of one site are made one after the other: none is under
way that the failures of another would have kept from being made.
"""

import hmac

import gevent

from hausbote.base.jid import InvalidJID
from hausbote.base.networks import site_of
from hausbote.base.portal_logins import Verdict
from hausbote.net.turns import NoTurn, Share
from hausbote.portal.visit import Visit
from hausbote.xmpp.sasl import HASHES, ScramKeys, derive_keys, fake_keys


def tried(visit: Visit, local: str, password: str, agent: str) -> Verdict:
    """What becomes of a try, when its penalty is over; never MAY_TRY.  `agent` is that of a browser
    of the account, or ""."""
    asking, address = visit.box.asking, visit.address
    try:
        with visit.box.tries.taken(Share(site_of(address), 1)):
            judgement = asking.judge(local, address, agent)
            if judgement.verdict is Verdict.MAY_TRY:
                proven = _is_password(visit, local, password)
                judgement = asking.judge(local, address, agent, proven=proven)
    except NoTurn:
        return Verdict.TOO_OFTEN
    gevent.sleep(judgement.wait)
    return judgement.verdict


def _is_password(visit: Visit, local: str, password: str) -> bool:
    """Whether it is the account's; without such an account it takes as long."""
    store = visit.box.store
    kept = store.accounts.all_keys(local)
    hash = next((name for name in reversed(HASHES) if name in kept), next(reversed(HASHES)))
    keys: ScramKeys = kept.get(hash) or fake_keys(store.secret("fake-scram-keys"), local, hash)
    proven: bool = visit.box.compute(_fits, password, hash, keys)
    return proven


def _fits(password: str, hash: str, keys: ScramKeys) -> bool:
    try:
        made = derive_keys(password, hash, salt=keys.salt, iterations=keys.iterations)
    except InvalidJID:
        return False
    return hmac.compare_digest(made.stored_key, keys.stored_key)
