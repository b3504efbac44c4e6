"""The service for other servers."""
