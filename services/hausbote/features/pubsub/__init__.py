"""Publish-subscribe: for every account (PEP, XEP-0163), and as a service of its own (XEP-0060).

A request comes in by `requests`, which finds its action in a table; the actions are in files named
for what they are about.  `notify` tells others, when the change is on disk and its author knows.
"""
