"""From a model and rows of its data to whole numbers: scales for every value, levels for every weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import shown
from multilayer._checks.tables import as_array
from multilayer.export.evaluation import activated, evaluated
from multilayer.export.integer_plan import entered, folded, in_parts, line, require_whole_form
from multilayer.export.integers import (
    HIGHEST,
    LOWEST,
    Entry,
    IntegerNetwork,
    IntegerStep,
    IntegerValue,
    fixed_point,
)
from multilayer.export.plan import plan_of
from multilayer.export.steps import Function, Plan, Step
from multilayer.functional import Array
from multilayer.functional.quantization import SMALLEST_STEP, largest_level, scale_and_zero, weight_levels
from multilayer.layers import QuantizationAware

_ROWS = 1000  # calibrated at once
_SAME_NUMBERS = ("cast", "reshape", "round", "transpose")  # what comes out has the scale of what goes in
_LARGEST_BIAS = 2.0**30


def quantize(model: Any, calibration: Any) -> IntegerNetwork:
    """A built model in whole numbers, as `model.export("net.c", dtype="int8", calibration=x)` writes it to C.

    Weights get a scale for each unit, symmetric about 0, activations one for each value, from the smallest and the
    largest number that the rows lead to. What a `QuantizationAware` layer has measured and learned in training is taken
    from it. `Rescaling` and `Normalization` in front are done where the caller's numbers become whole ones.

    Args:
        model: The model.
        calibration: Rows of its input as it will be: a few hundred of the training data. A list of such for several
            inputs.

    Raises:
        ValueError: `calibration` is None, of another shape, empty, or has NaN or infinite numbers; or the model holds
            what has no whole-number form.

    Example:
        >>> from multilayer import Input, Sequential, layers
        >>> model = Sequential([Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(3)])
        >>> network = quantize(model, calibration=np.random.default_rng(0).uniform(size=(100, 4)))
        >>> network(np.zeros((2, 4))).shape
        (2, 3)
    """
    model.require_built("export")
    plan = plan_of(model)
    if calibration is None:
        raise ValueError(
            "A network in whole numbers needs `calibration`: rows of its input, such as a few hundred of the training "
            "data, by which the ranges of its values are found."
        )
    rows = rows_of(plan, "calibration", calibration)
    for step in plan.steps:
        require_whole_form(plan, step)
    plan = in_parts(folded(plan))
    bounds = _bounds(plan, rows)
    entries, plan = entered(plan)
    return _Quantizing(plan, entries, bounds).network()


def listed(plan: Plan, what: str, given: Any) -> list[Any]:
    """What the user has given for each input, as a list, or by the inputs' names; of a single input it is just that.

    Raises:
        ValueError: There is not one for each input.
    """
    if isinstance(given, dict) and set(given) == set(plan.input_names):
        return [given[name] for name in plan.input_names]
    if len(plan.inputs) == 1:
        return [given]
    if not isinstance(given, (list, tuple)) or len(given) != len(plan.inputs):
        raise ValueError(
            f"`{what}` must be a list of {len(plan.inputs)} arrays, or a dict of such by the inputs' names: "
            f"{', '.join(plan.input_names)}. Received: {shown(list(given) if isinstance(given, dict) else given)}"
        )
    return list(given)


def rows_of(plan: Plan, what: str, given: Any) -> list[Array]:
    """The rows that the user has given for each input; `what` is the argument's name.

    Raises:
        ValueError: They do not fit the inputs, there are none, or they have NaN or infinite numbers.
    """
    given = listed(plan, what, given)
    rows = [
        _fitting(f"`{what}` for the input '{name}'", plan.values[number].shape, one)
        for number, name, one in zip(plan.inputs, plan.input_names, given, strict=True)
    ]
    if len({len(one) for one in rows}) > 1:
        raise ValueError(f"`{what}` has inputs of {', '.join(str(len(one)) for one in rows)} rows: give each as many.")
    return rows


def _fitting(what: str, shape: tuple[int, ...], given: Any) -> Array:
    rows = np.asarray(as_array(given))
    if rows.dtype.kind not in "fiub" or rows.shape[1:] != shape or rows.ndim != len(shape) + 1 or len(rows) == 0:
        expected = ", ".join(map(str, ("n", *shape)))
        raise ValueError(f"{what} must be rows of numbers, of shape ({expected}). Received: {rows.dtype} {rows.shape}")
    rows = rows.astype(np.float32)
    if not np.isfinite(rows).all():
        row = int(np.argwhere(~np.isfinite(rows))[0][0])
        raise ValueError(f"{what} has NaN or infinite numbers, the first in row {row}. Leave such rows out.")
    return rows


def _bounds(plan: Plan, rows: list[Array]) -> Mapping[int, tuple[float, float]]:
    """The smallest and the largest number of each value."""
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    for i in range(0, len(rows[0]), _ROWS):
        with np.errstate(over="ignore", invalid="ignore"):  # it is said below
            values = evaluated(plan, [one[i : i + _ROWS] for one in rows])
        for number, x in values.items():
            if not np.isfinite(x).all():
                raise ValueError("`calibration` leads to numbers that are NaN or infinite: the network predicts none.")
            low[number] = min(low.get(number, np.inf), float(x.min()))
            high[number] = max(high.get(number, -np.inf), float(x.max()))
    return {number: (low[number], high[number]) for number in low}


# --- Scales -----------------------------------------------------------------------------------------------------------


class _Quantizing:
    """A plan's values with a scale and a zero each, and its steps in whole numbers."""

    def __init__(self, plan: Plan, entries: list[tuple[Any, Any]], bounds: Mapping[int, tuple[float, float]]) -> None:
        self.plan, self.entries, self.bounds = plan, entries, bounds
        self.group = self._groups()
        self.scales = self._scales()

    def network(self) -> IntegerNetwork:
        plan = self.plan
        steps = [made for step in plan.steps for made in self._made(step)]
        values = [IntegerValue(one.shape, *self.scales[self.group[number]]) for number, one in enumerate(plan.values)]
        entries = []
        for number, (factor, offset) in zip(plan.inputs, self.entries, strict=True):
            scale, zero = self.of(number)
            entries.append(Entry(_in_six_digits(factor / scale), _in_six_digits(offset / scale + zero)))
        return IntegerNetwork(
            plan.name,
            tuple(values),
            plan.inputs,
            plan.outputs,
            tuple(steps),
            tuple(entries),
            plan.input_names,
            plan.output_names,
        )

    def of(self, value: int) -> tuple[float, int]:
        """The scale and the zero of a value."""
        return self.scales[self.group[value]]

    def _groups(self) -> list[int]:
        """For each value the first of those that share its scale: they hold the same numbers."""
        group = list(range(len(self.plan.values)))
        fixed: dict[int, tuple[float, int]] = {}
        for step in self.plan.steps:
            if step.kind not in _SAME_NUMBERS:
                continue
            first = group[step.inputs[0]]
            wanted = _trained(step)
            if wanted is not None and fixed.setdefault(first, wanted) != wanted:
                fixed[step.output] = wanted  # two layers have measured it differently: it is requantized for one
                continue
            group[step.output] = first
        self.fixed = fixed
        return group

    def _scales(self) -> dict[int, tuple[float, int]]:
        scales = {}
        for first in set(self.group):
            members = [number for number, one in enumerate(self.group) if one == first and number in self.bounds]
            low = min((self.bounds[number][0] for number in members), default=0.0)
            high = max((self.bounds[number][1] for number in members), default=0.0)
            scales[first] = self.fixed.get(first) or scale_and_zero(low, high)
        for step in self.plan.steps:
            if step.kind == "activation" and step.activation.name == "softmax":
                scales[self.group[step.output]] = (1.0 / 256.0, LOWEST)
        return scales

    # --- Steps ---

    def _made(self, step: Step) -> Iterator[IntegerStep]:
        if step.kind in _SAME_NUMBERS and self.of(step.inputs[0]) != self.of(step.output):
            yield self._sum(step, [1.0])
        elif step.kind in ("cast", "round", "reshape"):
            yield IntegerStep("reshape", step.name, step.inputs, step.output)
        elif step.kind == "transpose":
            yield IntegerStep("transpose", step.name, step.inputs, step.output, {}, step.options)
        elif step.kind == "merge":
            yield self._sum(step, _weights_of(step))
        else:
            yield self._MAKERS[step.kind](self, step)

    def _dense(self, step: Step) -> IntegerStep:
        (scale_x, zero_x), (scale_y, zero_y) = self.of(step.inputs[0]), self.of(step.output)
        kernel = step.arrays["kernel"].astype(np.float64)
        bias = step.arrays.get("bias", np.zeros(kernel.shape[1])).astype(np.float64)
        levels, scale_w, bits = _levels(step, kernel)
        # A column whose weights are all but 0 beside its bias gets a scale in which the bias has 30 bits.
        wider = np.maximum(scale_w, np.abs(bias) / (scale_x * _LARGEST_BIAS))
        levels = np.where(wider > scale_w, np.rint(levels * (scale_w / wider)), levels)
        whole = np.rint(bias / (scale_x * wider)) - zero_x * levels.sum(axis=0)
        if np.abs(levels).sum(axis=0).max() * 128.0 + np.abs(whole).max() >= 2.0**31:
            raise ValueError(
                f"Layer '{step.name}' has {len(kernel):,} inputs, and sums of so many do not fit into 32 bits."
            )
        try:
            multiplier, shift = fixed_point(scale_x * wider / scale_y)
        except ValueError as error:
            raise _too_large(step) from error
        low, high = _limits(step.activation, scale_y, zero_y)
        arrays = {
            "levels": levels.astype(np.int8),
            "bias": whole.astype(np.int32),
            "multiplier": multiplier,
            "shift": shift,
        }
        options = {"bits": bits, "low": low, "high": high, "zero": zero_y}
        return IntegerStep("dense", step.name, step.inputs, step.output, arrays, options)

    def _activation(self, step: Step) -> IntegerStep:
        (scale_x, zero_x), (scale_y, zero_y) = self.of(step.inputs[0]), self.of(step.output)
        if step.activation.name == "softmax":
            e = np.rint(65535.0 * np.exp(-scale_x * np.arange(256))).astype(np.uint16)
            return IntegerStep("softmax", step.name, step.inputs, step.output, {"exponentials": e})
        x = scale_x * (np.arange(LOWEST, HIGHEST + 1, dtype=np.float64) - zero_x)
        with np.errstate(over="ignore"):  # of the largest numbers, which are cut off
            y = np.rint(activated(step.activation, x) / scale_y) + zero_y
        table = np.clip(y, LOWEST, HIGHEST).astype(np.int8)
        return IntegerStep("table", step.name, step.inputs, step.output, {"table": table})

    def _affine(self, step: Step) -> IntegerStep:
        """For each feature by itself: x factor + offset."""
        factor, offset = line(step)
        return self._sum(step, [factor], offset)

    def _sum(self, step: Step, weights: Sequence[Any], offset: Any = 0.0) -> IntegerStep:
        """The sum of each input times its weight, and an offset, as whole factors of the q's and one shift."""
        (scale_y, zero_y), shape = self.of(step.output), self.plan.values[step.output].shape
        places = [self.of(one) for one in step.inputs]
        real = [weight * scale / scale_y for weight, (scale, _) in zip(weights, places, strict=True)]
        beside = offset / scale_y + zero_y - sum(r * zero for r, (_, zero) in zip(real, places, strict=True))
        if all(np.size(one) == 1 for one in (*real, beside)):
            shape = (1,)
        factors = np.stack([np.broadcast_to(one, shape).reshape(-1) for one in real])
        beside = np.broadcast_to(beside, shape).reshape(-1)
        shift = _shift(step, float(np.max(np.abs(factors).sum(axis=0) * 128.0 + np.abs(beside))))
        arrays = {
            "factors": np.rint(factors * 2.0**shift).astype(np.int32),
            "offset": (np.rint(beside * 2.0**shift) + 2.0 ** (shift - 1)).astype(np.int32),  # halves are rounded up
        }
        return IntegerStep("sum", step.name, step.inputs, step.output, arrays, {"shift": shift})

    def _concatenate(self, step: Step) -> IntegerStep:
        scale_y, zero_y = self.of(step.output)
        places = [self.of(one) for one in step.inputs]
        real = np.array([scale / scale_y for scale, _ in places])
        beside = zero_y - real * np.array([zero for _, zero in places])
        shift = _shift(step, float(np.max(real * 128.0 + np.abs(beside))))
        arrays = {
            "factors": np.rint(real * 2.0**shift).astype(np.int32),
            "offsets": (np.rint(beside * 2.0**shift) + 2.0 ** (shift - 1)).astype(np.int32),
        }
        options = {"shift": shift, "axis": step.options["axis"]}
        return IntegerStep("concatenate", step.name, step.inputs, step.output, arrays, options)

    _MAKERS: Mapping[str, Callable[[_Quantizing, Step], IntegerStep]] = {
        "activation": _activation,
        "concatenate": _concatenate,
        "dense": _dense,
        "scale": _affine,
        "standardize": _affine,
    }


def _in_six_digits(numbers: Any) -> Array:
    """Numbers as the header has them; of one that is 1 but for its rounding in float32 it makes 1."""
    return np.asarray(np.vectorize(lambda x: float(np.float32(f"{x:.6g}")), otypes=[float])(numbers))


def _trained(step: Step) -> tuple[float, int] | None:
    return (step.options["scale"], step.options["zero"]) if step.kind == "round" else None


def _weights_of(step: Step) -> list[float]:
    count, function = len(step.inputs), step.options["function"]
    if function == "subtract":
        return [1.0, -1.0]
    return [1.0 / count if function == "average" else 1.0] * count


def _levels(step: Step, kernel: Array) -> tuple[Array, Array, int]:
    """The weights as whole numbers, the scale of each column, and how many bits they have."""
    layer = step.layer
    if isinstance(layer, QuantizationAware):
        W, scale = layer.layer.kernel.value, np.maximum(layer.step.value, SMALLEST_STEP)
        factor = step.options.get("factor", np.ones(len(scale)))
        levels = weight_levels(W, scale, layer.bits) * np.where(factor < 0, -1.0, 1.0)
        return levels.astype(np.float64), np.maximum(scale * np.abs(factor), 1e-30), layer.bits
    scale = np.abs(kernel).max(axis=0) / largest_level(8)
    scale = np.where(scale > 0.0, scale, 1.0)
    return np.rint(kernel / scale), scale, 8


def _limits(function: Function, scale: float, zero: int) -> tuple[int, int]:
    """Between which whole numbers an activation that cuts off leaves its output."""
    if function.name == "linear":
        return LOWEST, HIGHEST
    most = 6.0 if function.name == "relu6" else function.options.get("max_value")
    high = HIGHEST if most is None else int(min(HIGHEST, np.rint(most / scale) + zero))
    return zero, high


def _shift(step: Step, largest: float) -> int:
    """The largest shift with which numbers up to this one, and a half, stay within 31 bits, however they round."""
    shift = int(np.floor(np.log2(2.0**31 - 2.0**20) - np.log2(largest + 1.0)))
    if shift < 8:
        raise _too_large(step)
    return min(shift, 30)


def _too_large(step: Step) -> ValueError:
    return ValueError(
        f"Layer '{step.name}' has inputs or factors too large beside its output for whole numbers of 32 bits. "
        "Scale its inputs, or give rows for `calibration` that are like those to come."
    )
