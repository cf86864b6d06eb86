"""The one error that says why a model file is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from multilayer._language import tr

_LONGEST = 1000


class ModelFileError(ValueError):
    """A model file is damaged, holds what no model file holds, or does not fit the model that it is to be read into.

    Whatever a file does, reading it ends in its model or in this error: nothing in it is run, nothing outside it is
    opened, and the model that it was to be read into is as it was.

    Args:
        path: The file.
        reason: What is wrong with it, and where in it. What a terminal would not print is escaped.

    Attributes:
        path: The file's name.
        reason: The reason alone.

    Example:
        >>> raise ModelFileError("model.keras", "'config.json' is missing.")
        Traceback (most recent call last):
        multilayer._containers.errors.ModelFileError: 'model.keras' is refused: 'config.json' is missing.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        self.path = os.fspath(path)
        shown = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"  # a file may have words of megabytes
        self.reason = printable(shown)
        super().__init__(tr("{path!r} is refused: {reason}", path=self.path, reason=self.reason))

    def __reduce__(self) -> tuple[type[ModelFileError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


def printable(text: str) -> str:
    r"""The text with what a terminal would take for a command, or could not show, written as an escape.

    Example:
        >>> printable("dense\x1b[2J")
        'dense\\x1b[2J'
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def warn_of_file(message: str, stacklevel: int) -> None:
    """Warns of what was found in a file, escaped and cut as in a `ModelFileError`: its names and words are anyone's.

    Args:
        message: What is to be said.
        stacklevel: As in `warnings.warn` where the caller called that.
    """
    import warnings

    shown = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
    warnings.warn(printable(shown), stacklevel=stacklevel + 1)


# What parsers raise at input that is not theirs, and what is built from a description of something else.
_REFUSED = (
    ArithmeticError,
    AssertionError,  # of the constructor of a class that somebody has registered
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,  # RecursionError, too
    TypeError,
    ValueError,
)


@contextmanager
def refusing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within it, whatever a file's content makes fail is raised as a `ModelFileError` of that file.

    What has other causes goes through: files that are missing or unreadable, memory that does not suffice.
    """
    import difflib  # noqa: F401 - finds the names that messages propose: a refusal itself imports nothing any more
    import struct  # here and not above, as everything that is needed for files alone: `import multilayer` is quick
    import zipfile
    import zlib

    try:
        yield
    except ModelFileError:
        raise
    except (*_REFUSED, struct.error, zipfile.BadZipFile, zlib.error) as error:
        reason = (
            tr("it lacks {error}.", error=error) if isinstance(error, KeyError) else str(error) or type(error).__name__
        )
        raise ModelFileError(path, reason) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise ModelFileError(path, str(error)) from error  # HDF5's word for a damaged file
