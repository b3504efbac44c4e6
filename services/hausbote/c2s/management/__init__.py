"""Stream management (XEP-0198): acknowledgements, and sessions that outlive their streams.

A session whose connection broke hibernates: it stays what it is for everybody else, what is sent to
it queues up, and its client may come back to it over another stream.  If nobody comes in time it
ends, and what never arrived goes where it would have gone without the session.
"""

from hausbote.c2s.management import acknowledgements, hibernation, preserving, resumption
from hausbote.c2s.management.managed import OFFER, failed, feature

__all__ = [
    "OFFER",
    "acknowledgements",
    "failed",
    "feature",
    "hibernation",
    "preserving",
    "resumption",
]
