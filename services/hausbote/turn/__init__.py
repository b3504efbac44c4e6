"""The service that lets the box's people use the relay for calls; the relay itself is coturn."""
