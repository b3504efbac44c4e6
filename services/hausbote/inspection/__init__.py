"""What there is to look at and say of a box, for commands and the portal."""
