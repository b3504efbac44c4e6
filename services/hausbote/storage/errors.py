"""What can go wrong with the store as a whole."""


class StorageError(Exception):
    """The store cannot be read or written; the message is a sentence for the owner."""
