"""The service that clients connect to; accounts live here."""
