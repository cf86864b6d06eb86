"""Kills a process at every step of a save in turn: half of a write, before and after a synchronization and a rename.

`python -m hostile.kills FOLDER NAME` does it for the format of a file name, such as model.keras, and says as JSON how
many steps there were, and how often the old and how often the new file was found.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Killer:
    """Counts the steps of a save, and kills its process at one of them.

    Args:
        at: The step, from 0; None only counts.
    """

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.steps = 0

    def step(self, first: Callable[[], Any] = lambda: None) -> None:
        """One step; where it is the last one, `first` is what is done of it before the end."""
        if self.steps == self.at:
            first()
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of the system with a step before it and one after."""

        def watched(*arguments: Any) -> Any:
            self.step()
            result = function(*arguments)
            self.step()
            return result

        return watched

    def opened(self, path: str, mode: str) -> io.BufferedRandom:
        """A file of which every write to the system is a step, and half of a write is what is done of the last."""
        killer = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                half = bytes(data)[: len(data) // 2]
                killer.step(lambda: super(Raw, self).write(half))
                return super().write(data)

        self.step()
        return io.BufferedRandom(Raw(path, mode.replace("b", "")))  # type: ignore[arg-type]


def save_watched(save: Callable[[Path], None], path: Path, killer: Killer) -> None:
    """Saves, in a process that is not needed any more afterwards."""
    from multilayer._system import atomic

    atomic.open = lambda path, mode, opener=None: killer.opened(os.fspath(path), mode)  # type: ignore[attr-defined]
    os.fsync, os.replace = killer.around(os.fsync), killer.around(os.replace)  # type: ignore[assignment]
    save(path)


def forked(work: Callable[[], int]) -> int:
    """Does work in a child, which returns a small number; -9 where it was killed."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def sweep(folder: Path, name: str) -> dict[str, int]:
    """Kills a save that replaces a file, at every step, and looks what a reader finds.

    Raises:
        AssertionError: It finds neither the old nor the new file, or something else stands under the file's name.
    """
    import multilayer as ml
    from hostile.whole import MODELS, network

    is_model = name in MODELS
    old, new = network(), network()
    new.set_weights([weight + 1 for weight in new.get_weights()])
    reader = network()
    path = folder / name

    def save(model: ml.Model) -> Callable[[Path], None]:
        return model.save if is_model else model.save_weights

    def found() -> str:
        if is_model:
            weights = ml.models.load_model(path).get_weights()
        else:
            reader.load_weights(path)
            weights = reader.get_weights()
        kinds = {"old": old.get_weights(), "new": new.get_weights()}
        return next(kind for kind, own in kinds.items() if all(map(np.array_equal, weights, own)))

    def counted() -> int:
        killer = Killer(None)
        save_watched(save(new), path, killer)
        return killer.steps

    save(old)(path)
    steps = forked(counted)
    counts: Counter[str] = Counter()
    for at in range(steps):
        save(old)(path)
        code = forked(lambda at=at: save_watched(save(new), path, Killer(at)) or 0)  # type: ignore[misc]
        assert code == -signal.SIGKILL, f"step {at} of {steps}: the save ended with {code}"
        counts[found()] += 1
    return {"steps": steps, "old": counts["old"], "new": counts["new"]}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(sweep(Path(sys.argv[1]), sys.argv[2])))
