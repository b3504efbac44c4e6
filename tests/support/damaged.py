"""A database whose file was damaged on the disk."""


def damage_database(state):
    """Write over pages in the middle of the file."""
    for name in ("hausbote.db-wal", "hausbote.db-shm"):
        (state / name).unlink(missing_ok=True)
    path = state / "hausbote.db"
    with path.open("r+b") as file:
        for place in range(path.stat().st_size // 2, path.stat().st_size, 1024):
            file.seek(place)
            file.write(b"\xa5" * 64)
