"""Sockets, TLS and the event loop: the only place that talks to the network."""
