"""What a command cannot do, told in sentences."""


class Problem(Exception):
    """Ends the command with these sentences on standard error and that exit code."""

    def __init__(self, *sentences: str, code: int = 1) -> None:
        super().__init__(*sentences)
        self.sentences = sentences
        self.code = code
