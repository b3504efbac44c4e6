"""The protocol without I/O: bytes in, values out; no socket, clock or greenlet."""
