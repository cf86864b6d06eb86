"""The modules that the documentation is built with, for tests: scripts beside each other, and no package."""

import sys

from helpers.paths import DOCS

sys.path += [str(DOCS), str(DOCS / "extensions")]

import lessons
import notebooks
import pictures

import figure_data

__all__ = ["figure_data", "lessons", "notebooks", "pictures"]
