"""What can be in the way of a backup."""


class BackupError(Exception):
    """The message is one or two sentences for the owner, with what to do.

    `absent` says that there is no repository at that place.
    """

    def __init__(self, sentence: str, *, absent: bool = False) -> None:
        super().__init__(sentence)
        self.absent = absent
