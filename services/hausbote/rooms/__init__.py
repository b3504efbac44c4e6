"""The service for group chat."""
