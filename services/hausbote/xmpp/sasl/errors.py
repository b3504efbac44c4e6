"""Why a login failed."""


class SaslError(Exception):
    """`condition` is one of RFC 6120 §6.5; `text` may tell the client's developers more."""

    def __init__(self, condition: str, text: str | None = None) -> None:
        super().__init__(condition)
        self.condition = condition
        self.text = text
