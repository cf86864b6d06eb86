"""The nodes and constants of an ONNX graph while it is written down."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias

import numpy as np

from multilayer._core.arena import Variable
from multilayer.functional import Array

Operand: TypeAlias = "str | float | list[int] | Array | Variable"


class Writer:
    """Writes operators down, and gives the names of their results.

    Called as `op("Add", x, 1.0)` it adds a node. What is no name becomes a constant: a float is one of the layer's
    type, a list of whole numbers one of int64, an array one of its own type, and a variable a weight under its path,
    which is written once however often it is used.

    Attributes:
        dtype: The type of the layer that is being written.
        layer: Its name, under which the nodes are found.
        nodes: The nodes so far.
        constants: The constants so far.
    """

    def __init__(self) -> None:
        import onnx

        self._onnx = onnx
        self.dtype = "float32"
        self.layer = ""
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: Counter[str] = Counter()
        self._known: dict[Any, str] = {}

    def __call__(self, kind: str, *inputs: Operand, **attributes: Any) -> str:
        """Adds a node with one result, and gives its name."""
        return self.several(kind, 1, *inputs, **attributes)[0]

    def several(self, kind: str, count: int, *inputs: Operand, **attributes: Any) -> list[str]:
        """Adds a node with several results, and gives their names."""
        names = [one if isinstance(one, str) else self._constant(one) for one in inputs]
        node = self.unique(f"{self.layer}/{kind}")
        results = [node] if count == 1 else [f"{node}:{i}" for i in range(count)]
        self.nodes.append(self._onnx.helper.make_node(kind, names, results, name=node, **attributes))
        return results

    def cast(self, x: str, dtype: str) -> str:
        """The same numbers as another type."""
        return self("Cast", x, to=self.type_number(dtype))

    def type_number(self, dtype: str) -> int:
        """ONNX's number for a type."""
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def unique(self, name: str) -> str:
        """The name itself, or with a number where it is taken."""
        self._names[name] += 1
        count = self._names[name]
        return name if count == 1 else self.unique(f"{name}_{count - 1}")

    def name_outputs(self, results: list[str], wanted: list[str]) -> list[str]:
        """Gives results the names that the outputs are to have."""
        self.layer = "output"
        names = [self.unique(name) for name in wanted]
        self.nodes += [
            self._onnx.helper.make_node("Identity", [result], [name], name=self.unique("output/Identity"))
            for result, name in zip(results, names, strict=True)
        ]
        return names

    def _constant(self, value: float | list[int] | Array | Variable) -> str:
        if isinstance(value, Variable):
            key: Any = value
            name, array = value.path, value.value
        else:
            array = np.asarray(
                value, np.int64 if isinstance(value, list) else self.dtype if isinstance(value, float) else None
            )
            key = (array.dtype.str, array.shape, array.tobytes())
            name = f"constant/{value}" if isinstance(value, (float, list)) else f"{self.layer}/constant"
        if key not in self._known:
            self._known[key] = self.unique(name)
            self.constants.append(self._onnx.numpy_helper.from_array(np.array(array, order="C"), self._known[key]))
        return self._known[key]
