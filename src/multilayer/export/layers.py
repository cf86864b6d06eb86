"""Each layer as steps of a plan, as it predicts: what acts in training alone is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from multilayer import activations, layers
from multilayer._training.graph import Call, Graph
from multilayer.config import epsilon
from multilayer.export import operations
from multilayer.export.steps import Builder, Function
from multilayer.functional import of_input, quantization
from multilayer.layers import Layer
from multilayer.layers.contraction import letters_for
from multilayer.layers.operation import FunctionOperation
from multilayer.saving.formats.onnx.operations import activation_of

# Adds the steps of a layer that is called with these values, and gives the number of what comes of it.
Writer: TypeAlias = Callable[[Builder, Any, Sequence[int]], int]

EXACT = 2**24  # whole numbers up to this one are float32's, too


def added_graph(build: Builder, graph: Graph, xs: Sequence[int]) -> list[int]:
    """Adds the steps of a graph, and gives the values of its outputs.

    Raises:
        ValueError: A call in it has no plain steps.
    """
    at = dict(zip(graph.inputs, xs, strict=True))
    for call in graph.calls:
        at[call.outputs[0]] = _added_call(build, call, [at[tensor] for tensor in call.inputs])
    return [at[tensor] for tensor in graph.outputs]


def _added_call(build: Builder, call: Call, xs: Sequence[int]) -> int:
    layer = call.layer
    if call.training and layer.acts_in_training:
        raise ValueError(
            f"Layer '{layer.name}' was called with `training=True`, and acts at random or by its batch in every "
            "prediction, which is not exported. Call it without `training` for a model to export."
        )
    return added(build, layer, xs)


def added(build: Builder, layer: Layer, xs: Sequence[int]) -> int:
    """Adds the steps of a layer; raises ValueError where it has none."""
    outer, build.layer = build.layer, layer
    try:
        return _writer(layer)(build, layer, xs)
    finally:
        build.layer = outer


def _writer(layer: Layer) -> Writer:
    if type(layer) in WRITERS:
        return WRITERS[type(layer)]
    if isinstance(layer, FunctionOperation):
        return _operation
    if type(layer).__module__ == "multilayer._training.masks":
        raise ValueError(
            f"The model's '{layer.name}' has padding left out of what comes after it, which is not exported in this "
            "format. Leave the mask out (`mask_zero`, `Masking`) for a model to export."
        )
    if type(layer) in _OF_TEXTS:
        raise ValueError(
            f"Layer '{layer.name}' is a {type(layer).__name__}, and texts are not exported in this format, which "
            "computes with numbers. Look the texts up before the model, and give it their numbers."
        )
    raise ValueError(
        f"Layer '{layer.name}' is a {type(layer).__name__}, which this format has no form for. Use the layers of "
        "`multilayer.layers` where the model is to be exported."
    )


# --- Activations ------------------------------------------------------------------------------------------------------

# fmt: off
_NAMES = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
    "keras2_hard_sigmoid", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "tanh", "tanh_shrink", "threshold",
)
# fmt: on
# By the function itself: another's activation may bear the same name. The last two are what options make of the first.
_FUNCTIONS: dict[Any, str] = {
    **{getattr(activations, name).forward: name for name in _NAMES},
    of_input.clipped_relu: "clipped_relu",
    of_input.softmax_along: "softmax",
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "celu": {"alpha": 1.0},
    "clipped_relu": {"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
    "elu": {"alpha": 1.0},
    "gelu": {"approximate": False},
    "hard_shrink": {"threshold": 0.5},
    "leaky_relu": {"negative_slope": 0.2},
    "soft_shrink": {"threshold": 0.5},
    "squareplus": {"b": 4.0},
    "threshold": {"threshold": 0.0, "default_value": 0.0},
}
_ALONG = ("glu", "log_softmax", "softmax", "sparsemax")


def function_of(layer: Layer, activation: activations.Activation, ndim: int) -> Function:
    """An activation of samples with so many axes; raises ValueError where it is one of the user's own."""
    forward: Any = activation.forward
    given: dict[str, Any] = {}
    while hasattr(forward, "keywords"):  # options that were bound
        forward, given = forward.func, {**forward.keywords, **given}
    name = _FUNCTIONS.get(forward)
    if name is None:
        raise ValueError(
            f"'{activation.name}' of layer '{layer.name}' is an activation of your own, which this format has no form "
            "for. Use one of multilayer.activations where the model is to be exported."
        )
    if name not in _ALONG:
        return Function(name, {**_DEFAULTS.get(name, {}), **given})
    axis = given.get("axis", -1)
    return Function(name, {}, _axes(layer, axis, ndim))


def _axes(layer: Layer, axis: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    """Axes of a batch as those of a sample, which has so many."""
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    found = sorted({one % (ndim + 1) for one in axes})
    if 0 in found:
        raise ValueError(
            f"Layer '{layer.name}' goes along axis 0, the batch, and what is exported computes one sample at a time. "
            "Use other axes."
        )
    return tuple(int(one) - 1 for one in found)


def _activated(build: Builder, layer: Layer, activation: activations.Activation, x: int) -> int:
    """The activation as a step of its own."""
    shape = list(build.shape(x))
    function = function_of(layer, activation, len(shape))
    if function.name == "linear":
        return x
    if _lie_apart(function.axes):
        # Brought to the end, where they are one run of numbers, and back.
        order = [*(axis for axis in range(len(shape)) if axis not in function.axes), *function.axes]
        ends = tuple(range(len(shape) - len(function.axes), len(shape)))
        y = _transposed(build, x, order)
        y = build.add("activation", y, build.shape(y), activation=function._replace(axes=ends))
        return _transposed(build, y, [order.index(axis) for axis in range(len(shape))])
    if function.name == "glu":
        shape[function.axes[0]] //= 2
    return build.add("activation", x, shape, activation=function)


def _lie_apart(axes: Sequence[int]) -> bool:
    return bool(axes) and axes[-1] - axes[0] >= len(axes)


def _transposed(build: Builder, x: int, order: Sequence[int]) -> int:
    return build.add("transpose", x, [build.shape(x)[axis] for axis in order], order=tuple(order))


def _activation(build: Builder, layer: Any, xs: Sequence[int]) -> int:
    return _activated(build, layer, layer.activation, xs[0])


def _prelu(build: Builder, layer: layers.PReLU, xs: Sequence[int]) -> int:
    return build.add("prelu", xs[0], build.shape(xs[0]), {"alpha": layer.alpha})


def _operation(build: Builder, layer: FunctionOperation, xs: Sequence[int]) -> int:
    activation = activation_of(layer)
    return operations.added(build, layer, xs) if activation is None else _activated(build, layer, activation, xs[0])


# --- Products ---------------------------------------------------------------------------------------------------------


def _product(
    build: Builder, layer: Any, x: int, shape: Sequence[int], kind: str, arrays: Mapping[str, Any], **options: Any
) -> int:
    """A step that ends in an activation, which is a step of its own where it changes the shape."""
    function = function_of(layer, layer.activation, len(shape))
    if function.name != "glu" and not _lie_apart(function.axes):
        return build.add(kind, x, shape, arrays, function, **options)
    return _activated(build, layer, layer.activation, build.add(kind, x, shape, arrays, **options))


def _dense(build: Builder, layer: layers.Dense, xs: Sequence[int]) -> int:
    shape = (*build.shape(xs[0])[:-1], layer.kernel.shape[1])
    return _product(build, layer, xs[0], shape, "dense", {"kernel": layer.kernel, "bias": layer.bias})


def _einsum_dense(build: Builder, layer: layers.EinsumDense, xs: Sequence[int]) -> int:
    letters = letters_for(layer.equation, len(build.shape(xs[0])) + 1)
    batch, x, y = letters.x[0], letters.x[1:], letters.y[1:]
    if letters.y[0] != batch or batch in x + y + letters.kernel:
        raise ValueError(
            f"Layer '{layer.name}' computes {layer.equation!r}, in which samples are not apart, and what is exported "
            "computes one sample at a time. Have the batch's letter first in input and output, and nowhere else."
        )
    kernel = layer.kernel.value
    sides = {**dict(zip(x, build.shape(xs[0]), strict=True)), **dict(zip(letters.kernel, kernel.shape, strict=True))}
    shape = [sides[one] for one in y]
    bias = None if layer.bias is None else layer.bias.value
    columns = shape[len(shape) - letters.columns :]
    if letters.are_of_rows and (bias is None or bias.ndim <= len(columns)):
        units = int(np.prod(columns))
        flat = None if bias is None else np.broadcast_to(bias, columns).reshape(-1)
        return _product(build, layer, xs[0], shape, "dense", {"kernel": kernel.reshape(-1, units), "bias": flat})
    arrays = {"kernel": kernel, "bias": bias}
    return _product(build, layer, xs[0], shape, "einsum", arrays, equation=f"{x},{letters.kernel}->{y}")


def _dot(build: Builder, layer: layers.Dot, xs: Sequence[int]) -> int:
    shapes = [build.shape(x) for x in xs]
    axes = [axis - 1 for axis in layer.axes_of([(None, *shape) for shape in shapes])]
    if layer.normalize:
        xs = [
            build.add("unit", x, build.shape(x), axes=(axis,), most=1.0 / epsilon())
            for x, axis in zip(xs, axes, strict=True)
        ]
    free = iter("abcdefghijklmnopqrstuvwxy")
    words = [
        "".join("z" if i == axis else next(free) for i in range(len(shape)))
        for shape, axis in zip(shapes, axes, strict=True)
    ]
    rest = "".join(words).replace("z", "")
    sides = dict(zip("".join(words), (*shapes[0], *shapes[1]), strict=True))
    shape = [sides[one] for one in rest]
    y = build.add("einsum", xs, shape, equation=f"{words[0]},{words[1]}->{rest}")
    return build.reshape(y, shape or [1])


def _embedding(build: Builder, layer: layers.Embedding, xs: Sequence[int]) -> int:
    table = layer.embeddings
    return build.add("embedding", xs[0], (*build.shape(xs[0]), table.shape[1]), {"table": table})


# --- Normalization ----------------------------------------------------------------------------------------------------


def _by_axes(array: Any, axes: Sequence[int], ndim: int) -> Any:
    """An array of the axes of a layer's samples, counted from 1 as a batch has them, with sides of 1 between."""
    if array is None:
        return None
    sides = iter(array.shape)
    return array.value.reshape([next(sides) if axis + 1 in axes else 1 for axis in range(ndim)])


def _batch_normalization(build: Builder, layer: layers.BatchNormalization, xs: Sequence[int]) -> int:
    """By the running means: a factor and an offset for each feature."""
    variance = layer.moving_variance.value.astype(np.float64)
    factor = 1.0 / np.sqrt(variance + layer.epsilon)
    if layer.gamma is not None:
        factor = factor * layer.gamma.value
    offset = -layer.moving_mean.value * factor
    if layer.beta is not None:
        offset = offset + layer.beta.value
    shape = build.shape(xs[0])
    sides = [side if axis + 1 in layer.axes else 1 for axis, side in enumerate(shape)]
    return build.add("scale", xs[0], shape, {"factor": factor.reshape(sides), "offset": offset.reshape(sides)})


def _layer_normalization(build: Builder, layer: layers.LayerNormalization, xs: Sequence[int]) -> int:
    shape = build.shape(xs[0])
    axes = layer._axes_of(len(shape) + 1)
    arrays = {name: _by_axes(getattr(layer, name), axes, len(shape)) for name in ("gamma", "beta")}
    inner = tuple(axis - 1 for axis in axes)
    return build.add(
        "normalize", xs[0], shape, arrays, axes=inner, epsilon=layer.epsilon, centered=bool(layer.centered)
    )


def _group_normalization(build: Builder, layer: layers.GroupNormalization, xs: Sequence[int]) -> int:
    shape = build.shape(xs[0])
    axis = layer.axes[0] - 1
    in_groups = [*shape[:axis], layer.groups, shape[axis] // layer.groups, *shape[axis + 1 :]]
    of_features = [side if i in (axis, axis + 1) else 1 for i, side in enumerate(in_groups)]
    arrays = {
        name: None if (one := getattr(layer, name)) is None else one.value.reshape(of_features)
        for name in ("gamma", "beta")
    }
    others = tuple(i for i in range(len(in_groups)) if i != axis)
    x = build.reshape(xs[0], in_groups)
    y = build.add("normalize", x, in_groups, arrays, axes=others, epsilon=layer.epsilon, centered=True)
    return build.reshape(y, shape)


def _unit_normalization(build: Builder, layer: layers.UnitNormalization, xs: Sequence[int]) -> int:
    shape = build.shape(xs[0])
    return build.add("unit", xs[0], shape, axes=_axes(layer, layer.axis, len(shape)), most=1e12)


def _normalization(build: Builder, layer: layers.Normalization, xs: Sequence[int]) -> int:
    shape = build.shape(xs[0])
    mean, deviation = (_without_batch(layer, one, shape) for one in layer.mean_and_deviation(np.dtype(np.float32)))
    if layer.invert:
        return build.add("scale", xs[0], shape, {"factor": deviation, "offset": mean})
    return build.add("standardize", xs[0], shape, {"mean": mean, "deviation": deviation})


def _rescaling(build: Builder, layer: layers.Rescaling, xs: Sequence[int]) -> int:
    shape = build.shape(xs[0])
    factor, offset = (_without_batch(layer, np.asarray(one), shape) for one in (layer.scale, layer.offset))
    return build.add("scale", xs[0], shape, {"factor": factor.astype(float), "offset": offset.astype(float)})


def _without_batch(layer: Layer, array: Any, shape: Sequence[int]) -> Any:
    """Constants that NumPy broadcasts to a batch, for one sample."""
    array = np.asarray(array)
    if array.ndim <= len(shape):
        return array
    if array.shape[0] != 1:
        raise ValueError(
            f"Layer '{layer.name}' has numbers of their own for each sample of a batch, and what is exported computes "
            "one sample at a time."
        )
    return array[0]


# --- Whole numbers ----------------------------------------------------------------------------------------------------


def _category_encoding(build: Builder, layer: layers.CategoryEncoding, xs: Sequence[int]) -> int:
    return _encoded(build, layer, xs[0], layer.output_mode, layer.num_tokens, strict=True)


def _encoded(
    build: Builder, layer: Any, places: int, mode: str, depth: int, weights: Any = None, strict: bool = False
) -> int:
    """Rows of zeros and ones, or of counts; with `strict`, places that there are none of are an error."""
    shape = _sides_of(layer, build.shape(places))
    how = "count" if mode == "tf_idf" else mode
    return build.add("encode", places, shape, {"weights": weights}, mode=how, depth=depth, strict=strict)


def _integer_lookup(build: Builder, layer: layers.IntegerLookup, xs: Sequence[int]) -> int:
    shape = build.shape(xs[0])
    if layer.invert:
        tokens = layer.get_vocabulary()
        unknown = layer.oov_token
        table = dict(enumerate(tokens))
    elif layer.num_oov_indices > 1 and layer.oov_method != "floormod":
        raise ValueError(
            f"Layer '{layer.name}' finds places for unknown numbers by their hash, which is not exported in this "
            "format. Use `oov_method='floormod'`, or `num_oov_indices=1`."
        )
    else:
        table = layer.table(None if layer.output_mode == "int" else -1)
        unknown = layer.unknown_place if layer.num_oov_indices else None
    keys = np.array(sorted(table), np.int64)
    places = np.array([table[key] for key in keys.tolist()], np.int64)
    largest = max(np.abs(places).max(initial=0), abs(unknown or 0))
    if largest > EXACT:
        raise ValueError(
            f"Layer '{layer.name}' gives whole numbers up to {largest:,}, and what is exported computes with float32, "
            f"which has those up to {EXACT:,} alone."
        )
    # Unknown numbers share several places by what is left of them when they are divided by their count.
    spread = 1 if layer.invert else max(layer.num_oov_indices, 1)
    found = build.add("lookup", xs[0], shape, {"keys": keys, "places": places}, unknown=unknown, spread=spread)
    if layer.output_mode == "int":
        return found
    depth = _sides_of(layer, shape)[-1]
    weights = layer._weights_of(depth) if layer.output_mode == "tf_idf" else None
    return _encoded(build, layer, found, layer.output_mode, depth, weights)


def _discretization(build: Builder, layer: layers.Discretization, xs: Sequence[int]) -> int:
    if layer.bin_boundaries is None:
        raise ValueError(f"Layer '{layer.name}' has no boundaries yet: call its `adapt` before.")
    boundaries = np.asarray(layer.bin_boundaries, np.float32)
    bins = build.add("discretize", xs[0], build.shape(xs[0]), {"boundaries": boundaries})
    if layer.output_mode == "int":
        return bins
    return _encoded(build, layer, bins, layer.output_mode, len(boundaries) + 1)


def _sides_of(layer: Layer, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of what a layer makes of a sample: where its input's sides are known, they are, too."""
    return tuple(side for side in layer.compute_output_shape((None, *shape))[1:] if side is not None)


# --- Shapes and sequences ---------------------------------------------------------------------------------------------


def _as_it_is(build: Builder, layer: Layer, xs: Sequence[int]) -> int:  # noqa: ARG001 - as all writers
    return xs[0]


def _reshape(build: Builder, layer: Layer, xs: Sequence[int]) -> int:
    return build.reshape(xs[0], _sides_of(layer, build.shape(xs[0])))


def _permute(build: Builder, layer: layers.Permute, xs: Sequence[int]) -> int:
    return _transposed(build, xs[0], [axis - 1 for axis in layer.dims])


def _repeat_vector(build: Builder, layer: layers.RepeatVector, xs: Sequence[int]) -> int:
    return build.add("repeat", xs[0], (layer.n, *build.shape(xs[0])), times=layer.n)


def _masking(build: Builder, layer: layers.Masking, xs: Sequence[int]) -> int:
    return build.add("masking", xs[0], build.shape(xs[0]), value=float(np.float32(layer.mask_value)))


def _pooling(function: str) -> Writer:
    def write(build: Builder, layer: Any, xs: Sequence[int]) -> int:
        shape = _sides_of(layer, build.shape(xs[0]))
        return build.add("reduce", xs[0], shape, function=function, axes=(layer.steps_axis - 1,))

    return write


def _inside(build: Builder, layer: layers.SpectralNormalization, xs: Sequence[int]) -> int:
    """The layer within, whose kernel has been divided already."""
    return added(build, layer.layer, xs)


def _quantization_aware(build: Builder, layer: layers.QuantizationAware, xs: Sequence[int]) -> int:
    """The input as 8 bits have it, then the product with the rounded weights."""
    x, dense = xs[0], layer.layer
    if layer.measured:
        scale, zero = layer.scale_and_zero()
        x = build.add("round", x, build.shape(x), scale=scale, zero=zero)
    kernel = quantization.fake_quantize(dense.kernel.value, layer.step.value, layer.bits)
    shape = (*build.shape(x)[:-1], dense.units)
    return _product(build, dense, x, shape, "dense", {"kernel": kernel, "bias": dense.bias})


def _time_distributed(build: Builder, layer: layers.TimeDistributed, xs: Sequence[int]) -> int:
    """The steps of the layer within, made for one part, and then done to each of the parts."""
    inner = Builder()
    part = inner.value(build.shape(xs[0])[1:], build.values[xs[0]].dtype)
    return build.add_in_parts(inner, xs[0], _inner(inner, layer.layer, part))


def _inner(build: Builder, layer: Any, part: int) -> int:
    if not hasattr(layer, "flat_graph"):
        return added(build, layer, [part])
    graph = layer.flat_graph()
    return added_graph(build, graph, [part])[0]


# --- Several inputs ---------------------------------------------------------------------------------------------------


def _merge(function: str) -> Writer:
    def write(build: Builder, layer: Layer, xs: Sequence[int]) -> int:  # noqa: ARG001 - as all writers
        ndim = max(len(build.shape(x)) for x in xs)
        # Inputs of fewer axes get axes of length 1 in front.
        aligned = [build.reshape(x, (*(1,) * (ndim - len(build.shape(x))), *build.shape(x))) for x in xs]
        shape = np.broadcast_shapes(*(build.shape(x) for x in aligned))
        return build.add("merge", aligned, shape, function=function)

    return write


def _concatenate(build: Builder, layer: layers.Concatenate, xs: Sequence[int]) -> int:
    shapes = [build.shape(x) for x in xs]
    (axis,) = _axes(layer, layer.axis, len(shapes[0]))
    shape = list(shapes[0])
    shape[axis] = sum(one[axis] for one in shapes)
    return build.add("concatenate", xs, shape, axis=axis)


_OF_TEXTS: tuple[type[Layer], ...] = (
    layers.HashedCrossing,
    layers.Hashing,
    layers.StringLookup,
    layers.TextVectorization,
)

# By the class itself: one that derives from it may compute something else.
WRITERS: dict[type[Layer], Writer] = {
    layers.Activation: _activation,
    layers.ActivityRegularization: _as_it_is,
    layers.Add: _merge("add"),
    layers.AlphaDropout: _as_it_is,
    layers.Average: _merge("average"),
    layers.BatchNormalization: _batch_normalization,
    layers.CategoryEncoding: _category_encoding,
    layers.Concatenate: _concatenate,
    layers.Dense: _dense,
    layers.Discretization: _discretization,
    layers.Dot: _dot,
    layers.Dropout: _as_it_is,
    layers.ELU: _activation,
    layers.EinsumDense: _einsum_dense,
    layers.Embedding: _embedding,
    layers.Flatten: _reshape,
    layers.GaussianDropout: _as_it_is,
    layers.GaussianNoise: _as_it_is,
    layers.GlobalAveragePooling1D: _pooling("mean"),
    layers.GlobalMaxPooling1D: _pooling("max"),
    layers.GroupNormalization: _group_normalization,
    layers.Identity: _as_it_is,
    layers.IntegerLookup: _integer_lookup,
    layers.LayerNormalization: _layer_normalization,
    layers.LeakyReLU: _activation,
    layers.Masking: _masking,
    layers.Maximum: _merge("maximum"),
    layers.Minimum: _merge("minimum"),
    layers.Multiply: _merge("multiply"),
    layers.Normalization: _normalization,
    layers.PReLU: _prelu,
    layers.Permute: _permute,
    layers.QuantizationAware: _quantization_aware,
    layers.RMSNormalization: _layer_normalization,
    layers.ReLU: _activation,
    layers.RepeatVector: _repeat_vector,
    layers.Rescaling: _rescaling,
    layers.Reshape: _reshape,
    layers.Softmax: _activation,
    layers.SpectralNormalization: _inside,
    layers.Subtract: _merge("subtract"),
    layers.TimeDistributed: _time_distributed,
    layers.UnitNormalization: _unit_normalization,
}
