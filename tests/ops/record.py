"""Has Keras on JAX evaluate the expressions, for what they give, its type, and the gradient at x.

    KERAS_BACKEND=jax python tests/ops/record.py

It needs Keras 3.15.1 and JAX, and writes tests/ops/recorded.json.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from ops.expressions import EXPRESSIONS, INPUTS


def evaluated(expression, **inputs):
    import keras

    names = {name: getattr(keras.ops, name) for name in dir(keras.ops) if not name.startswith("_")}
    return eval(expression, {**names, "np": np, **inputs})


def leaves(result):
    return [inner for one in result for inner in leaves(one)] if isinstance(result, (list, tuple)) else [result]


def rounded(array):
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return array.tolist()
    with_digits = [float(f"{one:.6g}") for one in array.ravel().astype(float)]
    return np.reshape(with_digits, array.shape).tolist()


def gradient(expression):
    """The gradient at x of the sum of the results, with weights 1, 2, 3 ... so that none cancels another."""
    import jax
    import jax.numpy as jnp

    def total(x):
        found = [
            one
            for one in leaves(evaluated(expression, **{**INPUTS, "x": x}))
            if jnp.issubdtype(jnp.result_type(one), jnp.floating)
        ]
        return sum(jnp.sum(one * (1.0 + jnp.arange(one.size).reshape(one.shape))) for one in found)

    try:
        found = np.asarray(jax.grad(total)(jnp.asarray(INPUTS["x"])))
    except Exception:  # it has none
        return None
    return rounded(found) if np.any(found) else None


def recorded(expression):
    import jax.numpy as jnp

    found = leaves(evaluated(expression, **{name: jnp.asarray(one) for name, one in INPUTS.items()}))
    result = {"values": [rounded(one) for one in found], "dtypes": [str(np.asarray(one).dtype) for one in found]}
    slope = gradient(expression)
    return result if slope is None else {**result, "gradient": slope}


def main():
    """Adds what is not recorded yet, and drops what is no expression any more."""
    import keras

    path = Path(__file__).parent / "recorded.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    results = {"keras": keras.__version__, **{one: known.get(one) or recorded(one) for one in EXPRESSIONS}}
    lines = [f"{json.dumps(one)}: {json.dumps(result)}" for one, result in results.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
