"""Accounts that move: exports and imports by XEP-0227, of this box and of other servers."""
