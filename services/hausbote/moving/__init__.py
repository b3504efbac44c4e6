"""Accounts that move: exports and imports by XEP-0227, of this box and of other servers."""

from hausbote.core.feature import Feature

feature = Feature(
    "moving",
    xeps={"0227": "1.1"},
    partial={"0227": "of privacy lists only what blocks addresses"},
)
