"""What a `FeatureSpace` is told of each column, and of columns that are crossed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multilayer._names import registry
from multilayer.layers import Concatenate, Identity, Layer

_INTEGERS_AND_ROWS = ("int", "one_hot")


def _mode(given: Any, allowed: Sequence[str]) -> str:
    if given not in allowed:
        raise ValueError(
            f"Invalid value for argument `output_mode`. Expected one of {set(allowed)}. Received: output_mode="
            f"{str(given)[:100]}"
        )
    return str(given)


@registry.register("feature")
class Feature:
    """One column: of which type it is, which layer it goes through, and what becomes of the result.

    Args:
        dtype: 'float32', 'int32', 'int64' or 'string'.
        preprocessor: The layer.
        output_mode: 'float' and 'int' for what the layer gives, 'one_hot' for rows of zeros and ones of that.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype
        self.output_mode = _mode(output_mode, (*_INTEGERS_AND_ROWS, "float"))
        self.preprocessor: Layer = (
            registry.deserialize("layer", preprocessor) if isinstance(preprocessor, dict) else preprocessor
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        described = registry.serialize(self.preprocessor)
        return {"dtype": self.dtype, "preprocessor": described, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """The column with these constructor arguments."""
        return cls(**config)


@registry.register("feature")
class Cross:
    """Several columns that count together.

    Args:
        feature_names: Their names.
        crossing_dim: How many bins there are for all combinations of their values.
        output_mode: 'int' for the bins, 'one_hot' for rows of zeros and ones.
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.output_mode = _mode(output_mode, _INTEGERS_AND_ROWS)
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim

    @property
    def name(self) -> str:
        """What the crossed columns are called together."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        names, crossing_dim = self.feature_names, self.crossing_dim
        return {"feature_names": names, "crossing_dim": crossing_dim, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """The cross with these constructor arguments."""
        return cls(**config)


# Under the names that Keras has for them in files.


@registry.register("layer")
class TFDIdentity(Identity):
    """A column as it is."""


@registry.register("layer")
class TFDConcat(Concatenate):
    """All columns side by side."""
