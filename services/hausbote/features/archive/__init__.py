"""What people wrote and what was written to them, for all their clients to read (XEP-0313)."""

from hausbote.features.archive import keeping, preferences, queries

FEATURES = (keeping.feature, queries.feature, preferences.feature)
