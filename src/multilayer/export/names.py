"""Identifiers and comments of exported files, of which nothing that a user has named can break out."""

from __future__ import annotations

import re


def identifier(text: str, otherwise: str) -> str:
    """A part of an identifier that looks like the text; `otherwise` where nothing of it can be used.

    Example:
        >>> identifier("layer 1: */ ouch", "layer")
        'layer_1_ouch'
    """
    found = re.sub("[^A-Za-z0-9]+", "_", text).strip("_").lower()[:31].strip("_")
    return found if found[:1].isalpha() else f"{otherwise}_{found}".strip("_")


class Names:
    """Identifiers that are all different."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, name: str) -> str:
        """The name, with a number behind it where it is taken."""
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found


def comment(text: str) -> str:
    """A text that can stand in a comment: it ends none, continues no line, and makes no trigraph.

    Example:
        >>> comment("a */ b")
        'a __ b'
    """
    return re.sub(r"[^A-Za-z0-9 _.,:;()+=<>\[\]'-]", "_", text)[:100]
