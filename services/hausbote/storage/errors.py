"""What can go wrong with the store as a whole."""


class StorageError(Exception):
    """The store cannot be read or written; the message is a sentence for the owner.

    `full` says that there is no room on the disk.
    """

    def __init__(self, sentence: str, *, full: bool = False) -> None:
        super().__init__(sentence)
        self.full = full
