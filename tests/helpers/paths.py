"""Where things lie, for tests that read what is no module: recorded files, pages of the documentation, scripts."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
FILES = TESTS / "files"
CHECKOUT = TESTS.parent
DOCS = CHECKOUT / "docs"
