"""What tests of federation share."""

from hausbote.base.settings import Settings
from hausbote.net.judge import Judge


def judge_with(directory, authority, **tls):
    """A judge that trusts the authority and, unless `tls` says otherwise, nobody else."""
    authority.write(directory)
    raw = {"domain": "house.example", "tls": {"trust": ["root.pem"], "authorities": ""} | tls}
    return Judge(Settings.from_dict(raw, directory))
