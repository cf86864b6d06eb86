"""Builds the site, strictly, and checks its lessons.

    python docs/build.py

leaves it in build/site; build/site/index.html is where it begins. Every lesson runs. A warning, a link that leads
nowhere, a name that does not exist, a lesson that fails or that gives something else than is recorded of it ends in an
error. It says what it is doing, a line for each page. After a change that is meant,

    python docs/build.py --record

writes down anew what lessons give and draws the pictures in their pages, for you to look at in the diff. With

    python docs/build.py --python PATH

lessons run in the environment of another Python: one that holds the library and ipykernel only shows that readers need
nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import house
import lessons
import pictures
from sphinx.cmd.build import main as sphinx

DOCS = Path(__file__).parent
BUILD = DOCS.parent / "build"
sys.path.insert(0, str(DOCS / "extensions"))

from progress import say  # noqa: E402 - found by the line above


def draw() -> None:
    """Draws the picture of the house anew, where the code has become another one."""
    say("Holding the picture of the house to the code's imports.")
    found = house.differences()
    for difference in found:
        say(f"  {difference}")
    if found:
        say(f"  Drawn anew: {house.draw()}. Commit it.")


def build() -> int:
    """Builds the site; the exit status says whether all is well."""
    shutil.rmtree(BUILD / "site", ignore_errors=True)  # pages of code that is as it was would keep their old frame
    strictly = ["--fail-on-warning", "--fresh-env", "--write-all", "--jobs", "auto", "--quiet"]
    return sphinx([*strictly, "-d", str(BUILD / "doctrees"), str(DOCS), str(BUILD / "site")])


def main() -> int:
    """Builds, then checks or records the lessons."""
    parser = argparse.ArgumentParser(description="Builds the site into build/site and checks its lessons.")
    parser.add_argument("--record", action="store_true", help="write down anew what the lessons give")
    parser.add_argument("--python", help="the Python whose environment lessons run in; else this one")
    arguments = parser.parse_args()
    if arguments.python:
        os.environ["LESSONS_PYTHON"] = arguments.python
    draw()
    status = build()
    if status:
        return status
    ran = BUILD / "jupyter_execute" / "tutorial"
    if arguments.record:
        say(f"{len(lessons.record(ran))} lessons recorded in {lessons.RECORDED}")
        say(f"{len(pictures.record(ran))} of their pictures drawn anew")
        return 0
    say("Comparing what the lessons gave with what is recorded of them.")
    found = [*lessons.check(ran), *pictures.check()]
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        print("If that is meant: python docs/build.py --record", file=sys.stderr)
        return 1
    say(f"{BUILD / 'site' / 'index.html'}: built; every lesson gives what is recorded of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
