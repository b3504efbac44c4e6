"""python -m hausbote.cli: the same as the hausbote command."""

from hausbote.cli import main

if __name__ == "__main__":
    main()
