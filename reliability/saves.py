"""Kills a save at every one of its steps, in every format, and tells what a reader then finds.

python reliability/saves.py
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile.whole import MODELS, WEIGHTS


def main() -> None:
    """Prints a line for each format."""
    print(f"{'format':20} {'steps':>5} {'the old file':>13} {'the new file':>13} {'neither':>8}")
    for name in (*MODELS, *WEIGHTS):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "hostile.kills", folder, name]
            answer = subprocess.run(command, env={"PYTHONPATH": sys.path[0]}, stdout=subprocess.PIPE, check=True)
        found = json.loads(answer.stdout)
        neither = found["steps"] - found["old"] - found["new"]
        print(f"{name:20} {found['steps']:5} {found['old']:13} {found['new']:13} {neither:8}")


if __name__ == "__main__":
    main()
