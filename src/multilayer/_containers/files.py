"""Files to read from: each is there, and an ordinary one, before it is opened."""

from __future__ import annotations

import io
import os

from multilayer._language import later, tr

_WHAT = (later("file"), later("model file"), later("vocabulary file"))  # as callers name it


def require_file(path: str | os.PathLike[str], what: str = "file") -> None:
    """Raises FileNotFoundError where there is no file of this name; pipes and devices are none, as they have no end."""
    # `Path.is_file` raises where a folder on the way may not be entered, or where a name is too long.
    if not os.path.isfile(path):  # noqa: PTH113
        raise FileNotFoundError(tr("There is no {what} at {path!r}.", what=tr(what), path=os.fspath(path)))


def open_to_read(path: str | os.PathLike[str], what: str = "file") -> io.BufferedReader:
    """The file, open for reading its bytes.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It cannot be read.
    """
    require_file(path, what)
    return open(path, "rb")  # noqa: PTH123 - errors name the path as it was given, which a `Path` would rewrite
