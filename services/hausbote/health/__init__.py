"""The health of what a box is kept on: its disk, file system, room, database, files and clock.

`python -m hausbote.health` looks at all of it once, as c2s has it done every hour.
"""
