"""Builds the site, strictly: `python docs/build.py` leaves it in build/site, and build/site/index.html is where it begins.

Every lesson runs. A warning, a link that leads nowhere, a name that does not exist or a lesson that fails ends in an
error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

DOCS = Path(__file__).parent
BUILD = DOCS.parent / "build"

if __name__ == "__main__":
    strictly = ["--fail-on-warning", "--fresh-env", "--write-all", "--jobs", "auto", "--quiet"]
    sys.exit(sphinx([*strictly, "-d", str(BUILD / "doctrees"), str(DOCS), str(BUILD / "site")]))
