"""Many networks at once: a function called with one item after the other, on all cores side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from multilayer import random
from multilayer._checks.scalars import is_whole
from multilayer._core.kernels import products
from multilayer._core.kernels.threads import available
from multilayer._tracebacks import filter_traceback

if TYPE_CHECKING:
    from multilayer._system.worker import Tell

Item = TypeVar("Item")
Result = TypeVar("Result")


@filter_traceback
def parallel_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, n_jobs: int | None = None
) -> list[Result]:
    """Calls a function with each item, on all cores side by side, and returns the results in the order of the items.

    It is for many small networks: the folds of a cross-validation, the members of an ensemble, settings to choose from.
    (A step of a large one uses all cores as it is.) The results are, bit for bit, those of one call after the other:
    each call finds a global seed of its own, drawn from the global seed here, so that they depend neither on the number
    of processes nor on who is done first. This process's seed has moved on by one stream afterwards, whatever the calls
    drew.

    Each process is a new one, in which Python imports the function, so:

    - it has to be defined at the top of a module, not in a notebook or within another function;
    - a program that calls `parallel_map` does so below `if __name__ == "__main__":`, or each process would, too;
    - within a call, and so in a process that has cores of its own, `parallel_map` does one after the other;
    - items and results are copied: bind data that all items need by `functools.partial`, as it is copied once a process
      then, and return what you need, which can be a model.

    Args:
        function: Called with one item.
        items: What to call it with.
        n_jobs: How many processes, at most; None and -1 mean one a core, or as many as MULTILAYER_NUM_THREADS says.
            With 1 all is done in this process, and nothing has to be imported or copied.

    Returns:
        What the function returned for each item.

    Raises:
        TypeError: The function, or an item, cannot be handed to another process.
        ValueError: `n_jobs` is no such number.
        RuntimeError: A process has ended before its work was done.
        Exception: What the function raised for an item; the other items are given up.

    Example:
        >>> import numpy as np
        >>> from multilayer import Sequential, layers, utils
        >>> utils.set_random_seed(1)
        >>> x = np.linspace(-1, 1, 90)[:, None]
        >>> def loss_of_fold(fold):
        ...     model = Sequential([layers.Input((1,)), layers.Dense(8, "tanh"), layers.Dense(1)])
        ...     model.compile("adam", "mse")
        ...     tested = np.arange(90) % 3 == fold
        ...     model.fit(x[~tested], x[~tested] ** 2, epochs=50, verbose=0)
        ...     return model.evaluate(x[tested], x[tested] ** 2, verbose=0)
        >>> [round(loss, 1) for loss in parallel_map(loss_of_fold, range(3), n_jobs=1)]  # more in a program's file
        [0.1, 0.1, 0.1]
    """
    import multiprocessing  # slow to import, and seldom needed

    given = list(items)
    count = 1 if multiprocessing.current_process().daemon else min(_number_of(n_jobs), len(given))
    seeds = [int(seed) for seed in random.new_generator().integers(2**32, size=len(given))]
    call = functools.partial(_seeded, function)
    tasks = list(zip(seeds, given, strict=True))
    if count < 2:
        products.choice()  # as a worker does, before the first product
        return [call(task) for task in tasks]
    return _side_by_side(call, tasks, count)


def _number_of(n_jobs: int | None) -> int:
    if n_jobs is not None and n_jobs != -1 and not is_whole(n_jobs, 1):
        raise ValueError(
            "Argument `n_jobs` must be a number of processes of at least 1, or None or -1 for one a core. "
            f"Received: n_jobs={n_jobs!r}"
        )
    if n_jobs is None or n_jobs == -1:
        return available()
    return int(n_jobs)


def _seeded(function: Callable[[Any], Any], task: tuple[int, Any], _tell: Tell | None = None) -> Any:
    seed, item = task
    with random.seeded(seed):
        return function(item)


def _side_by_side(call: Callable[..., Any], tasks: list[tuple[int, Any]], count: int) -> list[Any]:
    from multilayer._system.workers import Workers  # with all that it imports: only where there are any

    results: dict[int, Any] = {}
    with Workers(call, count) as workers:
        for report in workers.reports(tasks):
            if report.event == "failed":
                raise report.content
            if report.event == "stopped":  # by the function itself
                raise KeyboardInterrupt
            if report.event == "lost":
                raise RuntimeError(
                    f"The process that computed item {report.task} has ended before it was done (exit code "
                    f"{report.content}). Either its memory did not suffice, which fewer processes can mend (`n_jobs`), "
                    'or the program does not call `parallel_map` below `if __name__ == "__main__":`.'
                )
            if report.event == "done":
                results[report.task] = report.content
    return [results[number] for number in range(len(tasks))]
