"""Opens every hostile file of the corpus and tells, kind by kind, what came of it.

python reliability/corpus.py
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile import corpus


def main() -> None:
    """Prints a line for each kind."""
    with tempfile.TemporaryDirectory() as folder:
        verdicts = corpus.judged(Path(folder))
    print(f"{'kind':32} {'files':>5} {'refused':>8} {'slowest':>9} {'memory':>8} {'anything else':>14}")
    every = [(kind, found) for kind, found in verdicts.items()]
    for kind, found in [*every, ("all", [verdict for _, of_one in every for verdict in of_one])]:
        refused = sum(verdict["outcome"] == "refused" for verdict in found)
        seconds = max(verdict["seconds"] for verdict in found)
        memory = max(verdict["memory"] for verdict in found) / 2**20
        events = sum(len(verdict["events"]) for verdict in found)
        print(
            f"{kind:32} {len(found):5} {refused:8} {1e3 * seconds:6.0f} ms {memory:4.0f} MiB {events or 'nothing':>14}"
        )


if __name__ == "__main__":
    main()
