"""Training for weights of few bits: a layer that computes with what whole numbers will leave of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole, real_number
from multilayer._core.arena import Scratch, Variable
from multilayer._core.tape import plain
from multilayer._names import registry
from multilayer.functional import Array, quantization
from multilayer.layers.base import Layer, Shape
from multilayer.layers.dense import Dense
from multilayer.layers.wrappers import Wrapper

BITS = (8, 4, 2)


@registry.register("layer")
class QuantizationAware(Wrapper):
    """A `Dense` layer that is trained for weights of 8, 4 or 2 bits and inputs of 8: y = activation(x^ W^ + b).

        W^ = step clip(round(W / step), -Q, Q),   Q = 2^(bits-1) - 1,   with one step for each column of W
        x^ = scale (clip(round(x / scale) + zero, -128, 127) - zero)

    So training sees the rounding errors that the exported whole-number network makes, and makes up for them. The layer
    inside keeps W as fractions, which small gradients add up in. `scale` and `zero` come from running means of the
    smallest and the largest input of each batch. `step` is trained as well.

    Rounding has no derivative that one could train by. The way back takes the rounding error for a constant (the
    straight-through estimator), and everything else as it stands. With v = W / step:

        dW = dW^ where |v| <= Q, else 0,   dx = dx^ where x is within the range, else 0
        dstep = g sum over the rows of dW^ (round(v) - v where |v| <= Q, else Q sign(v)),   g = 1 / sqrt(d Q)

    `model.export("net.c", dtype="int8", calibration=x)` packs the weights, two a byte with 4 bits, four with 2. A layer
    that is built already is taken with its weights: so a trained network is prepared for a few epochs more.

    Args:
        layer: The `Dense` layer.
        bits: How many bits a weight has: 8, 4 or 2.
        momentum: Share of the running means of the input's bounds that is kept from step to step.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Attributes:
        step: The difference of two neighbouring weights, of each column, shape (h,).
        moving_minimum: The running mean of each batch's smallest input, shape ().
        moving_maximum: That of the largest.

    Input (n, ..., d), output (n, ..., h).

    Source: Esser et al., "Learned Step Size Quantization", 2020, arXiv:1902.08153, for the weights; Jacob et al.,
    "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018,
    arXiv:1712.05877, for the inputs; Bengio et al., 2013, arXiv:1308.3432, for the estimator.

    Raises:
        ValueError: `layer` is no `Dense`, `bits` is neither 8, 4 nor 2, or `momentum` is not within [0, 1).

    Example:
        >>> from multilayer.layers import Dense
        >>> layer = QuantizationAware(Dense(3, activation="relu"), bits=2)
        >>> layer(np.ones((5, 4)), training=True).shape
        (5, 3)
        >>> bool(np.isin(layer.levels(), (-1, 0, 1)).all())
        True
    """

    acts_in_training = True
    layer: Dense
    _x: Array  # what the last forward pass in training keeps for the way back
    _gradient: Array | None  # dW^
    _way_back: Callable[[Array], Array | None]

    def __init__(self, layer: Layer, bits: int = 8, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if type(layer) is not Dense:
            raise ValueError(
                f"`QuantizationAware` is for a `Dense` layer, and '{layer.name}' is a {type(layer).__name__}. Other "
                "layers need none: their whole numbers come from calibration when the network is exported."
            )
        if not is_whole(bits) or bits not in BITS:
            raise ValueError(f"`bits` must be 8, 4 or 2. Received: bits={bits!r}")
        self.bits = int(bits)
        self.momentum = real_number("momentum", momentum, least=0.0, below=1.0)
        self._inner_scratch = Scratch()

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.step = self.add_weight((self.layer.units,), "zeros", name="step")
        self.step.value[...] = quantization.first_steps(self.layer.kernel.value, self.bits)
        self.moving_minimum = self.add_weight((), "zeros", name="moving_minimum", trainable=False)
        self.moving_maximum = self.add_weight((), "zeros", name="moving_maximum", trainable=False)

    def check_input_shape(self, input_shape: Shape) -> None:
        self.layer.check_input_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def levels(self) -> Array:
        """The whole numbers that W is exported as, from -Q to Q, shape (d, h)."""
        return quantization.weight_levels(self.layer.kernel.value, self.step.value, self.bits).astype(np.int8)

    def scale_and_zero(self) -> tuple[float, int]:
        """The `scale` and the `zero` of the input, from its running bounds."""
        return quantization.scale_and_zero(float(self.moving_minimum.value), float(self.moving_maximum.value))

    @property
    def measured(self) -> bool:
        """Whether the bounds of the input are known, from training."""
        return bool(self.moving_minimum.value < self.moving_maximum.value)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training and self.trainable:
            self._measure(x)
        x_hat = quantization.fake_quantize_input(x, *self.scale_and_zero()) if self.measured else x
        inner = self._inner(training)
        y = inner.forward(x_hat, training)
        if training:
            self._x, self._way_back = x, inner.backward
        return y

    def _measure(self, x: Array) -> None:
        """Moves the bounds; the first batch sets them."""
        share = 1.0 - self.momentum if self.measured else 1.0
        for bound, of_batch in ((self.moving_minimum, x.min(initial=0.0)), (self.moving_maximum, x.max(initial=0.0))):
            bound.value += share * (of_batch - bound.value)

    def _inner(self, training: bool) -> Dense:
        """The layer inside with W^ for its kernel.

        It is a copy, as predicting changes nothing: other threads may be asking the layer itself.
        """
        kernel, step = self.layer.kernel, self.step
        rounded = Variable(quantization.fake_quantize(kernel.value, step.value, self.bits), trainable=False)
        if training and (kernel.gradient is not None or step.gradient is not None):
            vars(rounded)["gradient"] = np.empty_like(rounded.value)
        inner = copy.copy(self.layer)
        inner._scratch, inner.needs_dx = self._inner_scratch if training else Scratch(), self.needs_dx
        vars(inner)["kernel"] = rounded
        if training:
            self._gradient = rounded.gradient
        return inner

    def backward(self, dy: Array) -> Array | None:
        dx = self._way_back(dy)
        kernel, step = self.layer.kernel, self.step
        if self._gradient is not None:
            dW, dstep = quantization.fake_quantize_backward(self._gradient, kernel.value, step.value, self.bits)
            for variable, gradient in ((kernel, dW), (step, dstep * self._step_share)):
                if variable.gradient is not None:
                    np.copyto(variable.gradient, gradient)
        if dx is None or not self.measured:
            return dx
        return quantization.fake_quantize_input_backward(dx, self._x, *self.scale_and_zero())

    @property
    def _step_share(self) -> float:
        """g, without which a step, of which all rows' gradients are the sum, moves much farther than a weight."""
        return float(1.0 / np.sqrt(self.layer.kernel.shape[0] * quantization.largest_level(self.bits)))

    def call(self, x: Any, training: bool = False) -> Any:
        if training and self.trainable:
            self._measure(plain(x))
        return self.formula(x)

    def formula(self, x: Any) -> Any:
        """The same with rounding errors as constants, so that a tape differentiates it as `backward` does."""
        Q, kernel, step = quantization.largest_level(self.bits), self.layer.kernel, self.step
        g = self._step_share
        step = step * g + (1.0 - g) * step.value
        v = np.clip(kernel / step, -Q, Q)
        W = step * (v + (np.rint(plain(v)) - plain(v)))
        if self.measured:
            scale, zero = self.scale_and_zero()
            x_hat = quantization.fake_quantize_input(plain(x), scale, zero)
            within = np.clip(x, scale * (-128.5 - zero), scale * (127.5 - zero))
            x = within + (x_hat - plain(within))
        a = np.matmul(x, W)
        return self.layer.activation(a if self.layer.bias is None else a + self.layer.bias)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bits": self.bits, "momentum": self.momentum}
