"""A table's columns as what a network takes: each as its kind asks for, and all side by side."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._checks.arguments import file_name
from multilayer._checks.tables import columns_of, is_frame
from multilayer._containers.names import check_free
from multilayer._names import naming, registry
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
)
from multilayer.layers.symbolic import is_symbolic
from multilayer.utils.features import Cross, Feature, TFDConcat, TFDIdentity

# Keras adapts a dict in batches of so many, by which the boundaries of bins are what they are.
_BATCH = 32


@registry.register("layer")
class FeatureSpace(Layer):
    """A table's columns as what a network takes: encoded as their kinds ask for, and put side by side.

    Args:
        features: The columns: for each name a kind, as text ('float', 'float_normalized', 'float_rescaled',
            'float_discretized', 'integer_categorical', 'string_categorical', 'integer_hashed', 'string_hashed'), or
            what the class methods of these names give, which take options.
        output_mode: 'concat' for one array, of the columns in the order of their names, then the crosses; 'dict' for
            an array each.
        crosses: Columns that count together: tuples of their names, or what `cross` gives.
        crossing_dim: How many bins a cross has that does not say it.
        hashing_dim: How many bins a hashed column has that does not say it.
        num_discretization_bins: How many bins a discretized column has that does not say it.
        name: Its name.

    Call `adapt(data)` once, with a dict of columns; then it may be called with such a dict (also with a frame of
    pandas', polars' or pyarrow's), or put in front of a network by `get_inputs()` and `get_encoded_features()`.

    Raises:
        ValueError: An argument does not fit, or a column cannot be encoded as it is said.

    Example:
        >>> data = {"size": [1.0, 2.0, 3.0], "colour": ["red", "green", "red"]}
        >>> space = FeatureSpace({"size": "float_rescaled", "colour": "string_categorical"})
        >>> space.adapt(data)
        >>> space({"size": [2.0, 5.0], "colour": ["green", "blue"]})
        array([[0., 0., 1., 2.],
               [1., 0., 0., 5.]], dtype=float32)
    """

    _holds_layers = True
    _nothing_to_build = True
    compiled = False
    optimizer = None

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        if output_mode not in ("dict", "concat"):
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of {'dict', 'concat'}. Received: output_mode="
                f"{str(output_mode)[:100]}"
            )
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = output_mode
        self.features = {name: self._feature(name, given) for name, given in features.items()}
        self.crosses = [self._cross(one) for one in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat: TFDConcat | None = None
        self._is_adapted = False
        self._draw()

    def _draw(self) -> None:
        self.inputs = {
            name: Input(shape=(1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()
        }
        self.encoded_features: Any = None

    # --- Kinds of columns ---

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Columns that count together, in so many bins."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Layer, output_mode: str) -> Feature:
        """A column of a kind of your own: it goes through this layer."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        preprocessor = TFDIdentity(dtype="float32", name=_named("float", name))
        return Feature("float32", preprocessor, "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers, scaled and shifted."""
        preprocessor = Rescaling(scale=scale, offset=offset, name=_named("float_rescaled", name))
        return Feature("float32", preprocessor, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers, brought to mean 0 and variance 1."""
        return Feature("float32", Normalization(axis=-1, name=_named("float_normalized", name)), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Numbers as the bins that they lie in."""
        preprocessor = Discretization(
            num_bins=num_bins, bin_boundaries=bin_boundaries, name=_named("float_discretized", name)
        )
        return Feature("float32", preprocessor, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Whole numbers that stand for categories, which are learned."""
        preprocessor = IntegerLookup(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=_named("integer_categorical", name)
        )
        return Feature("int32", preprocessor, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Words that stand for categories, which are learned."""
        preprocessor = StringLookup(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=_named("string_categorical", name)
        )
        return Feature("string", preprocessor, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Words as the bins of their hashes."""
        return Feature("string", Hashing(num_bins=num_bins, name=_named("string_hashed", name)), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Whole numbers as the bins of their hashes."""
        return Feature("int32", Hashing(num_bins=num_bins, name=_named("integer_hashed", name)), output_mode)

    def _feature(self, name: str, given: Any) -> Feature:
        if isinstance(given, Feature):
            return given
        if isinstance(given, dict):
            found: Feature = registry.deserialize("feature", given)
            return found
        if given in _WITH_BINS:
            sizes = {"float_discretized": self.num_discretization_bins}
            options = {"num_bins": sizes.get(given, self.hashing_dim)}
        elif given in _WITHOUT_BINS:
            options = {}
        else:
            raise ValueError(f"Invalid feature type: {str(given)[:100]}")
        made: Feature = getattr(self, given)(**options, name=name)
        return made

    def _cross(self, given: Any) -> Cross:
        cross: Any = registry.deserialize("feature", given) if isinstance(given, dict) else given
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise ValueError(
                    "When specifying `crosses`, the argument `crossing_dim` (dimensionality of the crossing space) "
                    "should be specified as well."
                )
            cross = Cross(cross, crossing_dim=self.crossing_dim)
        if any(name not in self.features for name in cross.feature_names):
            raise ValueError(
                "All features referenced in the `crosses` argument should be present in the `features` dict. Received "
                f"unknown features: {cross.feature_names}"
            )
        found: Cross = cross
        return found

    # --- Learning ---

    @filter_traceback
    def adapt(self, dataset: Any) -> None:
        """Lets every column's layer learn what it is to know of the data.

        Args:
            dataset: A dict of columns, or a frame; or an iterable of batches, each a dict of columns or a tuple with
                one in front, which is gone through once for every column that learns.

        Raises:
            ValueError: It is anything else, or lacks a column.
        """
        learning = [name for name, layer in self.preprocessors.items() if _learns(layer)]
        batches = _as_batches(dataset)
        for name in learning:
            layer: Any = self.preprocessors[name]
            layer.adapt(_column(batches, name, layer))
        self._is_adapted = True
        self._forget_drawing()
        self.get_encoded_features()

    def _forget_drawing(self) -> None:
        """What was drawn up has rows of the length that they had before."""
        self.one_hot_encoders = {}
        self.concat = None
        self.encoded_features = None

    def _require_adapted(self) -> None:
        if not self._is_adapted and any(map(_learns, self.preprocessors.values())):
            raise ValueError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")

    # --- Encoding ---

    def get_inputs(self) -> dict[str, Any]:
        """A tensor for each column, to draw up a model with: `Model(space.get_inputs(), outputs)`."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What becomes of these tensors: one tensor, or a dict of such."""
        self._require_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    def __call__(self, data: Any, training: bool | None = None) -> Any:  # type: ignore[override]  # noqa: ARG002
        """The encoded columns: of a batch, or of one row where the values have no axes."""
        data = _by_name(data)
        if not isinstance(data, dict):
            raise ValueError(
                f"A FeatureSpace can only be called with a dict. Received: data={str(data)[:200]} (of type "
                f"{type(data)})"
            )
        if is_symbolic(data):
            raise ValueError(
                "A FeatureSpace encodes columns of data. For a model, take `get_inputs()` and `get_encoded_features()`."
            )
        self.get_encoded_features()
        missing = [name for name in self.features if name not in data]
        if missing:
            raise ValueError(f"The data lacks the columns {missing}. It has {list(data)}.")
        columns = {name: _array(data[name]) for name in self.features}
        alone = any(one.ndim == 0 for one in columns.values())
        found = self._encoded({name: _as_column(one) for name, one in columns.items()})
        if not alone:
            return found
        return {name: one[0] for name, one in found.items()} if isinstance(found, dict) else found[0]

    def _encoded(self, columns: Mapping[str, Any]) -> Any:
        """Columns encoded, be they arrays or tensors."""
        values = {name: self.preprocessors[name](columns[name]) for name in sorted(self.features)}
        crossed = {
            cross.name: self.crossers[cross.name]([values[n] for n in cross.feature_names])
            for cross in sorted(self.crosses, key=lambda cross: cross.name)
        }
        found = {name: self._spread(name, value) for name, value in {**values, **crossed}.items()}
        if self.output_mode == "dict":
            return found
        if self.concat is None:
            self.concat = TFDConcat(axis=-1)
        return self.concat(list(found.values())) if len(found) > 1 else next(iter(found.values()))

    def _spread(self, name: str, value: Any) -> Any:
        """A column as rows of zeros and ones, where that is asked for."""
        spec: Any = self.features.get(name) or self.crosses_by_name[name]
        if name not in self.one_hot_encoders and spec.output_mode == "one_hot":
            _require_whole(name, value)
            self.one_hot_encoders[name] = CategoryEncoding(num_tokens=self._places(name), output_mode="multi_hot")
        if name in self.one_hot_encoders:
            return self.one_hot_encoders[name](value)
        if self.output_mode == "concat" and not str(value.dtype).startswith("float"):
            raise ValueError(
                f"Cannot concatenate features because feature '{name}' has not been encoded (it has dtype "
                f"{value.dtype}). Consider using `output_mode='dict'`."
            )
        return value

    def _places(self, name: str) -> int | None:
        """How long the rows of zeros and ones of a column are."""
        layer: Any = self.preprocessors.get(name) or self.crossers[name]
        if isinstance(layer, (IntegerLookup, StringLookup)):
            return layer.vocabulary_size()
        if isinstance(layer, CategoryEncoding):
            return layer.num_tokens
        if isinstance(layer, Discretization):
            return layer.num_bins if layer.bin_boundaries is None else len(layer.bin_boundaries) + 1
        if isinstance(layer, (HashedCrossing, Hashing)):
            return layer.num_bins
        raise ValueError(
            f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard feature and the dimensionality "
            "of its output space is not known, thus it cannot be one-hot encoded. Try using `output_mode='int'`."
        )

    # --- Files and copies ---

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes it to a '.keras' file, which `load_model` reads here, and Keras.

        Args:
            filepath: The file.
            overwrite: Whether a file that exists is replaced.

        Raises:
            ValueError: Its name ends otherwise.
            FileExistsError: The file exists and `overwrite` is False.
        """
        from multilayer.saving.formats import model_writer

        if not file_name("filepath", filepath).endswith(".keras"):
            raise ValueError(f"A FeatureSpace is saved to a '.keras' file. Received: {os.fspath(filepath)!r}")
        write = model_writer(filepath)
        check_free(filepath, overwrite)
        write(filepath, self)

    def get_config(self) -> dict[str, Any]:
        return {
            "features": {name: registry.serialize(feature) for name, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [registry.serialize(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    def get_build_config(self) -> dict[str, Any]:
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        for name, inner in config.items():
            if name not in self.preprocessors:
                raise ValueError(f"it builds a column {str(name)[:100]!r}, which it has not.")
            self.preprocessors[name].build_from_config(inner)
        self._is_adapted = True

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "inputs": {}, "encoded_features": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._draw()


_WITH_BINS = ("float_discretized", "integer_hashed", "string_hashed")
_WITHOUT_BINS = ("float", "float_normalized", "float_rescaled", "integer_categorical", "string_categorical")


def _named(kind: str, name: str | None) -> str:
    return f"{name or naming.auto_name(kind)}_preprocessor"


def _learns(layer: Layer) -> bool:
    """Whether a layer has something to learn that was not given."""
    given = getattr(layer, "_has_input_vocabulary", False) or getattr(layer, "_given", None) is not None
    if isinstance(layer, Discretization) and layer.num_bins is None:
        given = True
    return hasattr(layer, "adapt") and not given


def _array(values: Any) -> Array:
    return (
        np.asarray(values) if hasattr(values, "__array__") else np.asarray(values, object if _texts(values) else None)
    )


def _texts(values: Any) -> bool:
    """Whether a list, or a value alone, is of Python's texts, which stay what they are."""
    one = values
    while isinstance(one, (list, tuple)) and one:
        one = one[0]
    return isinstance(one, (str, bytes)) or one is None


def _as_column(array: Array) -> Array:
    return array.reshape(1, 1) if array.ndim == 0 else array[:, None] if array.ndim == 1 else array


def _by_name(data: Any) -> Any:
    """The columns of a frame by their names; anything else as it is."""
    return dict(columns_of(data)) if is_frame(data) else data


def _as_batches(dataset: Any) -> Any:
    """What can be gone through again and again: columns, or batches of such."""
    dataset = _by_name(dataset)
    if isinstance(dataset, dict):
        return dataset
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and not isinstance(dataset, (str, bytes)):
        return [dataset[i] for i in range(len(dataset))]
    if isinstance(dataset, Iterable) and not isinstance(dataset, (str, bytes)):
        return list(dataset) if iter(dataset) is dataset else dataset
    raise ValueError(
        "`adapt()` can only be called on a dict of arrays/lists, or on batches of such. Received instead: "
        f"{str(dataset)[:200]} (of type {type(dataset)})"
    )


def _column(batches: Any, name: str, layer: Layer) -> Any:
    """What one column's layer learns of: an array (n, 1), or batches of it."""
    if isinstance(batches, dict):
        column = _of(batches, name)
        if isinstance(layer, Discretization):
            return [column[start : start + _BATCH] for start in range(0, len(column), _BATCH)]
        return column
    return (_of(batch, name) for batch in batches)


def _of(batch: Any, name: str) -> Array:
    columns = _by_name(batch[0] if isinstance(batch, (tuple, list)) and batch else batch)
    if not isinstance(columns, dict):
        raise ValueError(f"A batch must be a dict of columns. Received: {str(columns)[:200]}")
    if name not in columns:
        raise ValueError(f"The data lacks the column {name!r}. It has {list(columns)}.")
    return _array(columns[name]).reshape(-1, 1)


def _require_whole(name: str, value: Any) -> None:
    if not str(value.dtype).startswith("int"):
        raise ValueError(
            f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should return an integer dtype. "
            f"Instead it returns a {value.dtype} dtype."
        )
