"""The gallery shows every picture. Its code runs when the site is built."""

import inspect
import re

from helpers.paths import DOCS
from multilayer import plotting

GALLERY = DOCS / "gallery.md"


def test_every_picture_is_in_the_gallery():
    cells = re.findall(r"^```\{code-cell\}.*?^```$", GALLERY.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    drawn = set(re.findall(r"plotting\.(\w+)\(", "\n".join(cells)))
    assert drawn == {name for name in plotting.__all__ if inspect.isfunction(getattr(plotting, name))}
