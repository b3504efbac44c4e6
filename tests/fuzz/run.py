"""Coverage-guided fuzzing of one target, until it is stopped or something breaks.

    python tests/fuzz/run.py stream -max_total_time=600

Everything behind the target goes to libFuzzer.  Needs atheris (see README.md).
"""

import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ModuleNotFoundError:
    sys.exit("atheris is not installed: tests/fuzz/README.md says how to get it")

sys.path.append(str(Path(__file__).parents[1]))  # for support
with atheris.instrument_imports(include=["hausbote", "precis_i18n", "idna"]):
    from seeds import PIECES, SEEDS
    from targets import TARGETS


def main(arguments: list[str]) -> None:
    name = arguments[1] if len(arguments) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"usage: {arguments[0]} {'|'.join(TARGETS)} [libFuzzer's options]")
    with tempfile.TemporaryDirectory() as scratch:
        corpus, dictionary = Path(scratch, "corpus"), Path(scratch, "pieces.dict")
        corpus.mkdir()
        for number, seed in enumerate(SEEDS[name]):
            (corpus / str(number)).write_bytes(seed)
        dictionary.write_text("".join(f'"{_escaped(piece)}"\n' for piece in PIECES[name]))
        options = [f"-dict={dictionary}", *arguments[2:], str(corpus)]
        atheris.Setup([arguments[0], *options], TARGETS[name])
        atheris.Fuzz()


def _escaped(piece: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece)


if __name__ == "__main__":
    main(sys.argv)
