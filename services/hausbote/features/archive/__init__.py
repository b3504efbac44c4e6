"""What people wrote and what was written to them, for all their clients to read (XEP-0313).

`query` and `pages` are for every archive, those of rooms among them; the rest is of accounts.
"""
