"""Amounts as the bins that they lie in."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole, real_number
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape
from multilayer.layers.categories import encoded, encoded_shape, float_dtype, require_dense, require_mode


@registry.register("layer")
class Discretization(Layer):
    """Amounts as the numbers of the bins that they lie in.

    The boundaries 0, 1, 2 are those of the bins (-inf, 0), [0, 1), [1, 2), [2, inf). Learned by `adapt`, they are
    quantiles: each bin gets about as many of the data.

    Args:
        bin_boundaries: The boundaries, in ascending order; None to learn them.
        num_bins: How many bins are learned.
        epsilon: How far learned quantiles may be off, as a share of the data: data in batches is summed up by 1 /
            epsilon numbers.
        output_mode: 'int' for the bins; 'one_hot', 'multi_hot' and 'count' as for `StringLookup`.
        sparse: Accepted as Keras does; only False.
        dtype: The type of rows of zeros and ones.
        name: Name of the layer.
        **kwargs: `trainable`, `input_shape` of a `Layer`.

    Raises:
        ValueError: An argument does not fit, or the layer has no boundaries yet.

    Example:
        >>> Discretization(bin_boundaries=[0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]])
        array([[0, 2, 3, 1]], dtype=int32)
        >>> layer = Discretization(num_bins=4)
        >>> layer.adapt(np.arange(100.0))
        >>> layer.bin_boundaries
        [23.999982833862305, 48.99998092651367, 73.99998474121094]
    """

    _nothing_to_build = True
    summary: Array  # of the data so far: values, and how much of it each stands for

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=float_dtype(dtype), **kwargs)
        self.output_mode = require_mode(self, "output_mode", output_mode, ("int", "one_hot", "multi_hot", "count"))
        require_dense(sparse)
        if num_bins is not None and not is_whole(num_bins, 0):
            raise ValueError(
                f"`num_bins` must be greater than or equal to 0. Received: `num_bins={str(num_bins)[:100]}`"
            )
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                f"Both `num_bins` and `bin_boundaries` should not be set. Received: `num_bins={num_bins}` and "
                f"`bin_boundaries={str(bin_boundaries)[:100]}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = None if bin_boundaries is None else _checked(bin_boundaries)
        self.num_bins = None if num_bins is None else int(num_bins)
        self.epsilon = real_number("epsilon", epsilon)
        if not 0.0 < self.epsilon < 1.0:
            raise ValueError(f"`epsilon` must lie between 0 and 1. Received: epsilon={epsilon}")
        self.sparse = False
        self.output_dtype = ("int64" if dtype == "int64" else "int32") if output_mode == "int" else None
        self.reset_state()

    # --- Learning the boundaries ---

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns the boundaries, as quantiles.

        Args:
            data: An array; or an iterable of batches, which are gone through one by one.
            steps: How many batches are taken; by default all.

        Raises:
            ValueError: The boundaries were given, or there is no data, or a value that is no finite number.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` "
                "instead."
            )
        self.reset_state()
        if isinstance(data, np.ndarray) or hasattr(data, "__array__") or not hasattr(data, "__iter__"):
            self.update_state(data)
        else:
            for number, batch in enumerate(data):
                if steps is not None and number >= steps:
                    break
                self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Takes note of a batch."""
        values = np.asarray(data, np.float32).reshape(-1)
        if not np.isfinite(values).all():
            raise ValueError(
                f"`adapt` received {values[~np.isfinite(values)][0]}, which lies in no bin. Fill such values in or "
                "drop them first, as `numpy.nan_to_num` does."
            )
        if values.size:
            merged = np.concatenate((_summary(values, self.epsilon), self.summary), axis=1)
            self.summary = _compressed(merged[:, np.argsort(merged[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Makes quantiles of what was noted the boundaries."""
        if self.num_bins is None:
            return
        if not self.summary.size:
            raise ValueError("`adapt` received no data: an empty iterable, or an array without values.")
        if not self.num_bins:
            raise ValueError("`num_bins` is 0: there is no bin to learn the boundaries of.")
        bounds = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1]
        self.bin_boundaries = bounds.tolist()

    def reset_state(self) -> None:
        """Forgets what was noted; the boundaries stay."""
        self.summary = np.zeros((2, 0), np.float32)

    # --- Finding the bins ---

    @property
    def _depth(self) -> int | None:
        return self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return encoded_shape(input_shape, self.output_mode, self._depth)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self.forward(self._batch(x))

    def forward(self, x: Array, training: bool = False) -> Array:
        bounds = self.bin_boundaries
        if bounds is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or call `adapt(dataset)` "
                "before you can start using the `Discretization` layer."
            )
        if training:
            self._shape = x.shape
        # As 32-bit numbers, which is what TensorFlow compares: 0.1 itself lies on the boundary 0.1.
        bins = np.searchsorted(np.asarray(bounds, x.dtype), x, side="right")
        return encoded(bins, self.output_mode, len(bounds) + 1, self.output_dtype or self.dtype)

    def backward(self, dy: Array) -> Array:  # noqa: ARG002 - a bin has no slope
        return np.zeros(self._shape, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": self.dtype,
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return super().from_config(config)
        # Learned boundaries stand beside the number of bins, which the constructor takes for a slip.
        layer: Any = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = _checked(config["bin_boundaries"])
        found: Layer = layer
        return found


def _checked(bin_boundaries: Any) -> list[float]:
    try:
        bounds = np.asarray(bin_boundaries, np.float64)
    except (TypeError, ValueError):
        bounds = np.full((1, 1), np.nan)
    if bounds.ndim != 1 or np.isnan(bounds).any() or (np.diff(bounds) < 0).any():
        raise ValueError(
            "`bin_boundaries` must be numbers in ascending order, such as [0.0, 1.0, 2.0]. Received: bin_boundaries="
            f"{str(bin_boundaries)[:200]}"
        )
    return [float(one) for one in bounds]


def _summary(values: Array, epsilon: float) -> Array:
    """About 1 / epsilon of the values (2, k), evenly spaced in their order, with how many each stands for."""
    ordered = np.sort(values)
    step = max(len(ordered) * epsilon, 1.0)
    chosen = ordered[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _compressed(summary: Array, share: float) -> Array:
    """A summary of as many values as such shares are in 1, each with what it then stands for, by interpolation."""
    if summary.shape[1] * share < 1:
        return summary
    shares = share + np.arange(0.0, 1.0, share)
    weights = summary[1].cumsum()
    reached = weights / weights[-1]
    values = np.interp(shares, reached, summary[0])
    weights = np.interp(shares, reached, weights)
    weights = weights - np.concatenate(([0.0], weights[:-1]))
    return np.stack((values, weights)).astype("float32")
