"""What happens where a callback cannot write its file: what is said, and whether training stops or goes on."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from multilayer._language import tr
from multilayer._names.registry import unknown
from multilayer._training.protocols import Network

_REMEDIES = {
    errno.ENOSPC: "Free space on that disk, or write to another one",
    errno.EDQUOT: "Free space within your quota, or write to another disk",
    errno.EFBIG: "Raise the largest size that a file may have here (`ulimit -f`), or write to another disk",
    errno.EACCES: "Make the folder writable, or choose another one",
    errno.EPERM: "Make the folder writable, or choose another one",
    errno.EROFS: "The disk can only be read: choose another folder",
    errno.ENOENT: "Make the folder, or choose another one",
    errno.ENOTDIR: "Something that is no folder is in the way: move it, or choose another name",
    errno.EINVAL: "Name an ordinary file",
    errno.EPIPE: "Whoever read from the pipe has ended: have it read to the end",
    errno.EIO: "The disk fails: look to it, or write to another one",
}


def check_on_error(on_error: str) -> None:
    """Raises ValueError where `on_error` is neither 'raise' nor 'warn'."""
    if on_error not in ("raise", "warn"):
        raise unknown("on_error", on_error, ("raise", "warn"))


@contextmanager
def writing(who: str, on_error: str = "raise") -> Iterator[None]:
    """Within it, an error of the operating system is told with its remedy, and raised, or only warned of.

    Args:
        who: The callback that writes.
        on_error: 'raise', which ends the training, or 'warn', with which it goes on.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        said = f"{(error.strerror or '').rstrip('.')}. {_REMEDIES.get(error.errno, 'Write to another folder')}"
        if on_error == "raise":
            advice = tr("with `on_error='warn'` training goes on all the same")
            raise OSError(error.errno, f"{who}: {said}; {advice}", error.filename) from error
        warnings.warn(
            tr("{who}: {filename}: {said}. Training goes on.", who=who, filename=error.filename, said=said),
            stacklevel=2,
        )


def has_finite_weights(model: Network) -> bool:
    """Whether a model is worth keeping: a file of NaN must not take the place of a good one."""
    return all(np.isfinite(weight.value).all() for weight in model.weights)
