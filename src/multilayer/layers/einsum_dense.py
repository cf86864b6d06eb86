"""The fully connected layer whose product an equation describes."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import activations, constraints, initializers, regularizers
from multilayer._checks.scalars import is_whole
from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.activation import activation_shape
from multilayer.layers.base import Layer, Shape, require_ndim
from multilayer.layers.contraction import Contraction, Letters, diagonal, letters_for, once, split, sum_to


@registry.register("layer")
class EinsumDense(Layer):
    """A fully connected layer of any axes: y = activation(einsum(equation, x, W) + b).

    With "bki,kio->bko", k networks side by side: every one has a matrix of its own, and all of them are one product.

    Its backward pass, with a = einsum(x, W) + b, is two products of the same kind, the letters in other places:

        da = dy activation'(a),   dW = einsum("bki,bko->kio", x, da),   dx = einsum("bko,kio->bki", da, W)

    and db the sum of da over the axes that b lacks.

    Args:
        equation: Letters for the axes of x, W and y, such as "ab,bc->ac". The first axis is the batch. Three dots, at
            the beginning or the end of x and y, stand for any further axes: "...x,xy->...y".
        output_shape: The sides of y but for the batch, and what the dots stand for; None for one that is x's, too.
        activation: A name such as 'sigmoid', an `activations.Activation`, or None for a linear layer.
        bias_axes: The letters of y that b has axes for, such as "ko"; None for no b.
        kernel_initializer: Where W starts; the letters say which of its axes are inputs, and which are outputs.
        bias_initializer: Where b starts.
        kernel_regularizer: The penalty on W.
        bias_regularizer: The penalty on b.
        kernel_constraint: What W must fulfil after every step.
        bias_constraint: What b must fulfil after every step.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape`, `activity_regularizer` of a `Layer`.

    Raises:
        ValueError: The equation has another form, a letter of it does not fit, or an input lacks its axes.

    Example:
        >>> EinsumDense("abc,cd->abd", (None, 64), bias_axes="d")(np.zeros((5, 32, 128))).shape
        (5, 32, 64)
        >>> members = EinsumDense("bki,kio->bko", (8, 3), bias_axes="ko")
        >>> members(np.zeros((32, 8, 30))).shape, members.kernel.shape, members.bias.shape
        ((32, 8, 3), (8, 30, 3), (8, 3))
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: str | activations.Activation | None = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        for name in ("lora_rank", "lora_alpha", "gptq_unpacked_column_size", "quantization_config"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(f"`{name}` is out of scope here: weights are trained whole, in float32 or float64.")
        super().__init__(**kwargs)
        self.equation = equation
        self.partial_output_shape = _checked_sides(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Variable
        self.bias: Variable | None = None
        split(equation)

    def __setattr__(self, name: str, value: Any) -> None:
        # `layer.activation = None` and `= "relu"` are what the constructor takes, too.
        super().__setattr__(name, activations.get(value) if name == "activation" else value)

    def build(self, input_shape: Shape) -> None:
        letters, sides = self._analyzed(input_shape)
        self.kernel = self.add_weight(
            self._sides_of("kernel", letters.kernel, sides),
            self._for_axes(letters),
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                self._sides_of("bias", letters.of_bias(self.bias_axes), {**sides, "1": 1}),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self._letters = letters
        x, kernel, y = (once(one) for one in letters[:3])
        self._product = Contraction(x, kernel, y)
        self._dW_product = Contraction(x, y, kernel)
        self._dx_product = Contraction(y, kernel, "".join(one for one in x if one in kernel + y))
        self._as_dense = self._is_dense(letters)
        members = self.kernel.shape[::2]  # (k, h), as the kernel is (k, d, h)
        self._as_members = letters.are_of_members and (self.bias is None or self.bias.shape == members)

    def _for_axes(self, letters: Letters) -> initializers.Initializer:
        """The kernel's initializer, told which of the axes are inputs."""
        initializer: initializers.Initializer = self.kernel_initializer
        if not isinstance(initializer, initializers.VarianceScaling) or initializer.input_axes is not None:
            return initializer
        told = copy.copy(initializer)
        told.output_axes = [i for i, one in enumerate(letters.kernel) if one in letters.y]
        told.input_axes = [i for i, one in enumerate(letters.kernel) if one not in letters.y]
        return told

    def _is_dense(self, letters: Letters) -> bool:
        """Whether it is `Dense` but for the number of axes."""
        columns = self.kernel.shape[len(letters.kernel) - letters.columns :]
        return letters.are_of_rows and (self.bias is None or self.bias.shape == columns)

    def _analyzed(self, input_shape: Shape) -> tuple[Letters, dict[str, int | None]]:
        """A letter for every axis of such an input, and the side of each, where it is known."""
        letters = letters_for(self.equation, len(input_shape))
        # The batch, what '...' stands for, and in between what `output_shape` says.
        lead = len(letters.dots) if letters.dots_lead else 1
        end = 0 if letters.dots_lead else len(letters.dots)
        given = [*input_shape[:lead], *self.partial_output_shape, *input_shape[len(input_shape) - end :]]
        if len(given) != len(letters.y):
            raise ValueError(
                f"Layer '{self.name}' needs {len(letters.y) - lead - end} sides in `output_shape`: those of "
                "the output but for the batch and what '...' stands for. Received: "
                f"equation={self.equation!r}, output_shape={self.partial_output_shape}, input_shape={input_shape}"
            )
        sides: dict[str, int | None] = dict(zip(letters.y, given, strict=True))
        for letter, side in zip(letters.x, input_shape, strict=True):
            known = sides.get(letter)
            if None not in (known, side) and known != side:
                raise ValueError(
                    f"Input shape and output shape do not match at shared dimension '{letter}'. Input shape is {side}, "
                    f"and output shape is {known}. Received: equation={self.equation!r}, input_shape={input_shape}, "
                    f"output_shape={self.partial_output_shape}"
                )
            sides[letter] = known if side is None else side
        return letters, sides

    def _sides_of(self, what: str, letters: str, sides: dict[str, int | None]) -> tuple[int, ...]:
        found = tuple(sides[one] for one in letters)
        known = tuple(side for side in found if side is not None)
        if len(known) < len(found):
            raise ValueError(
                f"Layer '{self.name}' needs to know every side of its {what}, from the input or from `output_shape`. "
                f"Received: equation={self.equation!r}, output_shape={self.partial_output_shape}, which leave it with "
                f"shape {found}."
            )
        return known

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        letters, sides = self._analyzed(input_shape)
        return activation_shape(self.activation, tuple(sides[one] for one in letters.y))

    def check_input_shape(self, input_shape: Shape) -> None:
        require_ndim(self, len(self._letters.x), input_shape)
        sides = dict(zip(self._letters.kernel, self.kernel.shape, strict=True))
        expected = tuple(sides.get(one) for one in self._letters.x)
        if any(side not in (None, given) for side, given in zip(expected, input_shape, strict=True)):
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: expected shape={expected}, found '
                f"shape={tuple(input_shape)}"
            )

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        letters = self._letters
        a = np.einsum(f"{letters.x},{letters.kernel}->{letters.y}", x, self.kernel)
        return self.activation(a if self.bias is None else a + self.bias)

    def forward(self, x: Array, training: bool = False) -> Array:
        letters, W = self._letters, self.kernel.value
        sides = dict(zip(letters.x + letters.kernel, (*x.shape, *W.shape), strict=True))
        shape = tuple(sides[one] for one in letters.y)
        a = self.scratch("a", shape) if training else np.empty(shape, self.dtype)
        if self._as_dense:
            y = self._dense(*self._in_rows(x, a), a, training, last=letters.columns == 1)
        elif self._as_members:
            y = self._dense(*self._side_by_side(x, a), a, training)
        else:
            self._product(diagonal(letters.x, x), diagonal(letters.kernel, W), a)
            if self.bias is not None:
                np.add(a, self.bias.value, out=a)
            y = self._activated(a, training)
        if training:
            self._x, self._kept = x, a if self.activation.of_input else y
        return y

    def _dense(self, x: Array, W: Array, target: Array, a: Array, training: bool, last: bool = True) -> Array:
        """A layer, or several side by side, with the activation on the product's way out, where that knows it.

        Args:
            x: Input, as `kernels.dense` has it.
            W: Kernel.
            target: Where to write the result: a view of `a`.
            a: The same, with the axes of the output.
            training: Whether `backward` follows.
            last: Whether the columns are those of the last axis alone, over which softmax sums.
        """
        b = None if self.bias is None else self.bias.value.reshape(*W.shape[:-2], W.shape[-1])
        name = self.activation.in_dense
        if name is None or (name == "softmax" and not last):
            kernels.dense(x, W, b, "linear", target)
            return self._activated(a, training)
        kernels.dense(x, W, b, name, target)
        return a

    def _activated(self, a: Array, training: bool) -> Array:
        if not self.activation.of_input:
            return self.activation.forward(a, out=a)  # a itself is not needed again, and y takes its memory
        if not training:
            return self.activation.forward(a)
        return self.activation.forward(a, out=self.scratch("y", activation_shape(self.activation, a.shape)))

    def _in_rows(self, x: Array, a: Array) -> tuple[Array, Array, Array]:
        """Input, kernel and affine output as `Dense` has them: matrices, every row of x a sample."""
        columns = math.prod(self.kernel.shape[len(self.kernel.shape) - self._letters.columns :])
        W = self.kernel.value.reshape(-1, columns)
        return x.reshape(-1, len(W)), W, a.reshape(-1, columns)

    def _side_by_side(self, x: Array, a: Array) -> tuple[Array, Array, Array]:
        """The same of several layers: the axis that they lie along first; a shared input is there for each."""
        W = self.kernel.value
        members = np.broadcast_to(x, (len(W), *x.shape)) if x.ndim == 2 else x.transpose(1, 0, 2)
        return members, W, a.transpose(1, 0, 2)

    def backward(self, dy: Array) -> Array | None:
        da = dy
        if self.activation is not activations.linear:
            da = self.activation.backward(dy, self._kept, out=self.scratch("da", self._kept.shape))
        dx = self.scratch("dx", self._x.shape) if self.needs_dx else None
        if self._as_dense:
            x_rows, W_rows, da_rows = self._in_rows(self._x, da)
            dW = self.kernel.gradient
            kernels.dense_backward(
                da_rows, None, x_rows, W_rows, "linear", None,
                None if dW is None else dW.reshape(W_rows.shape),
                None if self.bias is None or self.bias.gradient is None else self.bias.gradient.reshape(-1),
                None if dx is None else dx.reshape(x_rows.shape),
            )  # fmt: skip
        else:
            self._backward(da, dx)
        return dx

    def _backward(self, da: Array, dx: Array | None) -> None:
        x, letters = diagonal(self._letters.x, self._x), self._letters
        if self.bias is not None and self.bias.gradient is not None:
            db = self.bias.gradient
            if db.shape == da.shape[da.ndim - db.ndim :]:
                kernels.sum_rows(da.reshape(-1, db.size), out=db.reshape(-1))
            else:
                db[...] = sum_to(da, db.shape)
        if self.kernel.gradient is not None:
            dW = self.kernel.gradient
            if len(once(letters.kernel)) < len(letters.kernel):
                dW.fill(0.0)  # beside the diagonal
            self._dW_product(x, da, diagonal(letters.kernel, dW))
        if dx is not None:
            self._write_dx(da, dx)

    def _write_dx(self, da: Array, dx: Array) -> None:
        letters, W = self._letters, diagonal(self._letters.kernel, self.kernel.value)
        if len(once(letters.x)) < len(letters.x):
            dx.fill(0.0)  # beside the diagonal
        target = diagonal(letters.x, dx)
        lost = [axis for axis, one in enumerate(once(letters.x)) if one not in letters.kernel + letters.y]
        if not lost:
            self._dx_product(da, W, target)
            return
        # Along an axis that was summed over, the gradient is the same everywhere.
        shape = tuple(side for axis, side in enumerate(target.shape) if axis not in lost)
        target[...] = np.expand_dims(self._dx_product(da, W, np.empty(shape, da.dtype)), lost)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": list(self.partial_output_shape),
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def _checked_sides(output_shape: Any) -> tuple[int | None, ...]:
    """The sides that are given: None for one that the input says.

    Raises:
        ValueError: One is no whole number of at least 1.
    """
    given = [output_shape] if is_whole(output_shape) else output_shape
    if not isinstance(given, (list, tuple)) or not all(side is None or is_whole(side, 1) for side in given):
        raise ValueError(
            "`output_shape` is the sides of the output, but for the batch: positive whole numbers, or None. Received: "
            f"output_shape={str(output_shape)[:200]}"
        )
    return tuple(None if side is None else int(side) for side in given)
