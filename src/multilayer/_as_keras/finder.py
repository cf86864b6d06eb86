"""The finder by which `import keras` and `import tensorflow` give this library.

Python asks the finders in `sys.meta_path` in turn for a module that is not loaded yet. Ours is asked first, and knows
`keras`, `tensorflow` and what is within them: the modules of this library, not copies of them. `tensorflow` is the
module beside this one: `tf.keras`, and what dense programs use of the rest.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import multilayer

_OURS = {
    "keras": "multilayer",
    "tf_keras": "multilayer",
    "tensorflow": "multilayer._as_keras.tensorflow",
    "tensorflow.keras": "multilayer",
}


def install() -> None:
    """Has `import keras` and `import tensorflow` give this library; `import multilayer.as_keras` does so.

    Raises:
        ImportError: The real one is loaded already: whoever has it would go on with it.
    """
    if _finder in sys.meta_path:
        return
    for name in ("keras", "tf_keras", "tensorflow"):
        if name in sys.modules:
            raise ImportError(
                f"`{name}` is loaded already, from {getattr(sys.modules[name], '__file__', 'elsewhere')}. Put `import "
                "multilayer.as_keras` before every other import (in a notebook, restart the kernel first), or run the "
                "program by `python -m multilayer.as_keras program.py`.",
                name=name,
            )
    sys.meta_path.insert(0, _finder)
    print(
        f"multilayer {multilayer.__version__}: from here on, `import keras` and `import tensorflow` give multilayer.",
        file=sys.stderr,
    )


def remove() -> None:
    """Undoes `install`: the next `import keras` looks for the real one. What was imported before stays what it is."""
    if _finder not in sys.meta_path:
        return
    sys.meta_path.remove(_finder)
    for name in [name for name in sys.modules if _ours(name) is not None]:
        del sys.modules[name]


def _ours(name: str) -> str | None:
    """The module of this library that stands for a module of Keras' or TensorFlow's: 'keras.layers' is ours."""
    head, rest = name, ""
    while head:
        if head in _OURS:
            return _OURS[head] + rest
        head, _, last = head.rpartition(".")
        rest = f".{last}{rest}"
    return None


class _Finder(MetaPathFinder, Loader):
    """Finds our modules by Keras' names, and loads them: both in one, as they have nothing to remember."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How to load a module of ours; None for anybody else's. Whether we have it, loading will say."""
        del path, target
        return None if _ours(name) is None else ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> None:
        """Python may make its own: `exec_module` puts another in its place."""

    def exec_module(self, module: ModuleType) -> None:
        """Puts our module in the place of the empty one, which Python allows: see `sys.modules` in its reference."""
        name = module.__name__
        ours = _ours(name)
        assert ours is not None  # `find_spec` has asked
        try:
            sys.modules[name] = importlib.import_module(ours)
        except ModuleNotFoundError as error:
            if error.name != ours:
                raise
            raise ModuleNotFoundError(f"{error} (`{name}` is multilayer's here: see `multilayer.as_keras`.)", name=name)  # noqa: B904


_finder = _Finder()
