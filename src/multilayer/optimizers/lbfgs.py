"""Descent with curvature: L-BFGS over the whole data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import real_number, whole_number
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer


class Ending(NamedTuple):
    """How a training ended.

    Attributes:
        iterations: How many there were.
        loss: The least loss, where the parameters are.
        status: 0 where the loss has stopped falling, as `scipy.optimize` has it; anything else where something else
            ended it.
        message: SciPy's words for it.
    """

    iterations: int
    loss: float
    status: int
    message: str


@registry.register("optimizer", "lbfgs")
class LBFGS(Optimizer):
    """Limited-memory BFGS, through `scipy.optimize`: few passes and no learning rate, for small data sets.

    Every epoch of `fit` is one iteration, which asks for loss and gradient of the whole data set once or a few times.
    `batch_size` says how much of it is computed at once, not how often the weights are changed. Training ends when the
    loss has stopped falling, or after `epochs`.

    Args:
        history_size: Number of steps whose gradients are remembered.
        ftol: Ends when the loss falls by less than this, relative to its size.
        gtol: Ends when no number of the gradient is larger.
        max_fun: The largest number of times that loss and gradient are asked for.
        max_line_search: The largest number of times within one iteration.
        name: Its name.

    Attributes:
        ending: How the last training ended; None before.

    Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    Raises:
        ImportError: SciPy is not installed.

    Example:
        >>> import numpy as np
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((1,)), layers.Dense(1)])
        >>> model.compile(LBFGS(), "mse")
        >>> x = np.arange(5.0)
        >>> bool(model.fit(x, 2 * x + 1, epochs=20, verbose=0).history["loss"][-1] < 1e-6)
        True
    """

    full_batch = True

    def __init__(
        self,
        history_size: int = 10,
        ftol: float = 1e-9,
        gtol: float = 1e-6,
        max_fun: int = 15_000,
        max_line_search: int = 20,
        name: str | None = None,
    ) -> None:
        super().__init__(1.0, name=name)
        self.history_size = whole_number("history_size", history_size, 1)
        self.ftol = real_number("ftol", ftol, least=0)
        self.gtol = real_number("gtol", gtol, least=0)
        self.max_fun = whole_number("max_fun", max_fun, 1)
        self.max_line_search = whole_number("max_line_search", max_line_search, 1)
        self.ending: Ending | None = None

    def minimize(
        self,
        evaluate: Callable[[], tuple[float, Array]],
        parameters: Array,
        iterations: int,
        after_iteration: Callable[[], bool],
    ) -> None:
        """Moves `parameters` in place to where the loss is least.

        Args:
            evaluate: Gives loss and gradient at what `parameters` hold.
            parameters: The vector.
            iterations: The largest number of iterations.
            after_iteration: Called after each; True ends it all.
        """
        try:
            from scipy.optimize import minimize
        except ImportError as error:
            raise ImportError("The optimizer `LBFGS` needs SciPy. Install it with `pip install scipy`.") from error

        def loss_and_gradient(w: Array) -> tuple[float, Array]:
            np.copyto(parameters, w, casting="unsafe")
            loss, gradient = evaluate()
            return float(loss), gradient.astype(np.float64)

        def note(intermediate_result: Any) -> None:  # SciPy looks at this parameter's name to tell what it is to pass
            np.copyto(parameters, intermediate_result.x, casting="unsafe")
            self._batches += 1
            if after_iteration():
                raise StopIteration

        options = {
            "maxiter": iterations,
            "maxfun": self.max_fun,
            "maxcor": self.history_size,
            "ftol": self.ftol,
            "gtol": self.gtol,
            "maxls": self.max_line_search,
        }
        start = parameters.astype(np.float64)  # the only type that L-BFGS-B computes in
        found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", callback=note, options=options)
        np.copyto(parameters, found.x, casting="unsafe")
        self.ending = Ending(int(found.nit), float(found.fun), int(found.status), str(found.message))

    def get_config(self) -> dict[str, Any]:
        own = ("history_size", "ftol", "gtol", "max_fun", "max_line_search")
        return {"name": self.name, **{name: getattr(self, name) for name in own}}
