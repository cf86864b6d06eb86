"""Loads randomly damaged model files of every format, by default 100,000: only refusals, no other error, no hang.

Then goes on from damaged backups, by default a tenth as many: each is refused before training begins, or trained from.

python reliability/fuzz.py [--only WORD] [--mutations N] [--backups N] [--seed S]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile.mutations import fuzz, fuzz_backups
from hostile.readers import readers


def main() -> None:
    """Prints a line for each format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only the files that have this word in their name")
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--backups", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place in ("whole", "damaged"):
            (folder / place).mkdir()
        whole = {name: one for name, one in readers(folder / "whole").items() if arguments.only in name}
        start = time.perf_counter()
        counts = fuzz(folder / "damaged", whole, arguments.mutations, arguments.seed)
        backups = fuzz_backups(folder / "backups", arguments.backups, arguments.seed)
    seconds = time.perf_counter() - start
    damaged = f"{arguments.mutations:,} damaged files and {arguments.backups:,} damaged backups"
    print(f"{damaged}, seed {arguments.seed}, {seconds:.0f} s")
    for name in sorted(whole):
        print(f"{name:34} {counts[name, 'refused']:8,} refused {counts[name, 'loaded']:8,} loaded")
    print(f"{'backup':34} {backups['refused']:8,} refused {backups['gone on']:8,} gone on with")


if __name__ == "__main__":
    main()
