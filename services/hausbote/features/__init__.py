"""One file per capability, named for what it does."""
