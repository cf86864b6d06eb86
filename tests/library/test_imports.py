"""What importing costs, and how little is needed: NumPy alone."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np

import multilayer
from helpers.processes import printed_by

HEAVY = {
    "joblib",
    "matplotlib",
    "rich",
    "typer",
    "click",
    "pooch",
    "requests",
    "PIL",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "h5py",
    "tqdm",
    "onnx",
    "safetensors",
}


def test_importing_loads_numpy_and_nothing_else_heavy():
    program = "import sys, multilayer; print('\\n'.join(sorted({name.split('.')[0] for name in sys.modules})))"
    loaded = set(printed_by(program).split())
    assert {"numpy", "multilayer"} <= loaded
    assert not loaded & HEAVY


# Of Python's own library: slow to import, and needed for files, signals and drawings of models alone; `random` by what
# draws from NumPy, which imports it then.
LATE_PYTHON = {"dataclasses", "importlib.util", "json", "pathlib", "random", "signal", "tempfile", "urllib.parse"}


def test_importing_loads_nothing_of_python_that_is_slow_to_import_and_seldom_needed():
    program = "import sys, {}; print('\\n'.join(sys.modules))"
    before, loaded = (set(printed_by(program.format(name)).split()) for name in ("numpy", "multilayer"))
    assert not (loaded - before) & LATE_PYTHON


# Imported when a file, a notebook or a picture asks for them.
LATE = {
    "multilayer._containers.hdf5",
    "multilayer._containers.safetensors",
    "multilayer._system.machine",
    "multilayer._system.calls",
    "multilayer.callbacks.preemption",
    "multilayer.cli",
    "multilayer.glass.page",
    "multilayer.plotting",
    "multilayer.saving.formats.keras",
    "multilayer.saving.formats.onnx",
    "multilayer.saving.inspection",
}


def test_importing_loads_no_format_of_files():
    program = "import sys, multilayer; print('\\n'.join(sys.modules))"
    assert not LATE & set(printed_by(program).split())
    for name in LATE:
        importlib.import_module(name)  # which is there


def test_every_public_name_is_there():
    for name in multilayer.__all__:
        assert getattr(multilayer, name) is not None
    assert multilayer.__version__.count(".") == 2


PROGRAM = """
import importlib.util
assert all(importlib.util.find_spec(name) is None for name in ("rich", "typer", "pooch", "matplotlib", "pip"))

import sys
import numpy as np
import multilayer as keras
assert not {"pathlib", "urllib.parse", "tempfile"} & set(sys.modules), "slow to import, and needed for files alone"

(x, y), (x_test, y_test) = keras.datasets.synthetic_digits.load_data(num_train=500, num_test=100)
model = keras.Sequential([
    keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Rescaling(1 / 255),
    keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=3, validation_data=(x_test, y_test))
import tempfile
with tempfile.TemporaryDirectory() as folder:
    model.save(f"{folder}/model.npz")
    again = keras.models.load_model(f"{folder}/model.npz")
assert np.array_equal(again.predict(x_test), model.predict(x_test))
model.summary()
"""


def test_training_and_predicting_need_numpy_alone(tmp_path):
    """In a Python that finds nothing but its own library, NumPy and this package."""
    packages = Path(np.__file__).parent.parent
    for part in (packages / "numpy", packages / "numpy.libs", Path(multilayer.__file__).parent):
        if part.exists():
            (tmp_path / part.name).symlink_to(part)
    program = f"import sys; sys.path.append({str(tmp_path)!r})\n{PROGRAM}"

    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Epoch 3/3" in done.stdout
    assert "Total params: 76,352" in done.stdout
