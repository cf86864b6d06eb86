"""Many networks at once: a function called with one item after the other, on all cores side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from multilayer import random
from multilayer._checks.scalars import is_whole
from multilayer._core.kernels import products
from multilayer._tracebacks import filter_traceback

if TYPE_CHECKING:
    from multilayer._system.calls import Tell

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

    joblib does the calling: in processes on this machine's cores, which it keeps for the next time, or where one of its
    backends leads, such as to a cluster of Dask, Ray or Spark:

        with joblib.parallel_config(backend="dask"):
            losses = utils.parallel_map(loss_of_fold, range(10))

    - Each call has one thread. Where calls share a process, as with threads, they take turns.
    - Within a call `parallel_map` does one after the other.
    - Items and results are copied: bind data that all items need by `functools.partial`, as it is pickled but once
      then, and return what you need, which can be a model.
    - A process finds a function of a module where it can import that. What is defined in a program's file, in a
      notebook or within another function it gets as a copy, with copies of the variables that it refers to.

    Args:
        function: Called with one item.
        items: What to call it with.
        n_jobs: How many processes, at most; None means as many as `joblib.parallel_config` says, or else one a core of
            this machine (or as many as MULTILAYER_NUM_THREADS says) or of the cluster, and so does -1 in any case. With
            1 all is done in this process, and nothing has to be copied.

    Returns:
        What the function returned for each item.

    Raises:
        TypeError: The function, or an item, cannot be handed to another process.
        ValueError: `n_jobs` is no such number.
        RuntimeError: A process has ended before its work was done; which items it may have been at is said.
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
    given = list(items)
    count = _number_of(n_jobs, len(given))
    seeds = [int(seed) for seed in random.new_generator().integers(2**32, size=len(given))]
    call = functools.partial(_seeded, function)
    tasks = list(zip(seeds, given, strict=True))
    if count == 1 or not given:
        products.choice()  # as another process does, before the first product
        return [call(task) for task in tasks]
    return _side_by_side(call, tasks, count)


def _number_of(n_jobs: int | None, items: int) -> int:
    """How many calls at once; -1 where a cluster's backend is to say."""
    if n_jobs is not None and n_jobs != -1 and not is_whole(n_jobs, 1):
        raise ValueError(
            "Argument `n_jobs` must be a number of processes of at least 1, or None or -1 for one a core. "
            f"Received: n_jobs={n_jobs!r}"
        )
    if n_jobs == 1:
        return 1
    import multiprocessing  # slow to import, and seldom needed

    from multilayer._system import calls

    if calls.within() or multiprocessing.current_process().daemon:  # which may start no others
        return 1
    number = calls.number_of(n_jobs if n_jobs is None else int(n_jobs))
    return number if number < 0 else min(number, items)


def _seeded(function: Callable[[Any], Any], task: tuple[int, Any], _tell: Tell | None = None) -> Any:
    seed, item = task
    with random.seeded(seed):
        return function(item)


def _side_by_side(call: Callable[..., Any], tasks: list[tuple[int, Any]], count: int) -> list[Any]:
    import tempfile

    from multilayer._system import calls

    with tempfile.TemporaryDirectory(prefix="multilayer-") as folder:
        try:
            found = dict(calls.results(call, enumerate(tasks), count, calls.Exchange(folder)))
        except calls.LostError as error:
            raise RuntimeError(
                f"A process has ended before it was done with item {' or '.join(map(str, error.under_way))}. Its "
                f"memory may not have sufficed, which fewer processes can mend (`n_jobs`). joblib says: {error}"
            ) from error
    return [found[number] for number in range(len(tasks))]
