"""Every reader there is, each with an honest file for it: what is fuzzed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import multilayer as ml
from helpers.paths import FILES
from hostile.whole import WEIGHTS, network, write_all
from multilayer.saving.inspection import contents

KERAS_3 = (
    "residual.keras",
    "residual.h5",
    "within.keras",
    "within.weights.h5",
    "every_argument.keras",
    "schedule.keras",
)
KERAS_2 = (
    *("adam.h5", "nested_frozen.h5", "loss_dict.h5", "activation_objects.h5", "legacy_sgd_decay.h5", "embedding.h5"),
    *("several.keras", "legacy_sgd_decay.keras", "normalizations.keras", "categories.keras"),
    *("normalizations.weights.h5", "nested_weights.h5", "several_weights.hdf5"),  # the second and third by layers
)
LENIENT = "by name, skipping"  # what a reader of weights is called that takes what fits


class Reader(NamedTuple):
    """What reads a file of one kind.

    Attributes:
        name: The file's name, which tells the reader what it is.
        content: An honest file.
        read: What reads one; it raises ModelFileError where it refuses.
    """

    name: str
    content: bytes
    read: Callable[[Path], object]


def readers(folder: Path) -> dict[str, Reader]:
    """Each reader, by what it reads. The folder is for honest files, which are left there."""
    whole = write_all(folder)
    found = {name: Reader(name, path.read_bytes(), ml.models.load_model) for name, path in whole.items()}
    for name in WEIGHTS:
        found[name] = found[name]._replace(read=_into(network))
    whole["model.onnx"], whole["torch.safetensors"] = folder / "model.onnx", folder / "torch.safetensors"
    network().export(whole["model.onnx"])
    ml.saving.save_pytorch(network(), whole["torch.safetensors"])
    for name, read in (("model.onnx", _inspected), ("torch.safetensors", _into(network, ml.saving.load_pytorch))):
        found[name] = Reader(name, whole[name].read_bytes(), read)
    for name in ("model.weights.h5", "model.weights.npz", "model.keras"):
        lenient = partial(ml.Model.load_weights, skip_mismatch=True, by_name=name.endswith("weights.h5"))
        found[f"{name} {LENIENT}"] = found[name]._replace(read=_into(network, lenient))
    _operations().save(folder / "operations.keras")
    found["operations.keras"] = Reader(
        "operations.keras", (folder / "operations.keras").read_bytes(), ml.models.load_model
    )
    for name, optimizer in OPTIMIZERS.items():
        _layers(optimizer).save(folder / f"{name}.keras")
        found[f"{name}.keras"] = Reader(f"{name}.keras", (folder / f"{name}.keras").read_bytes(), ml.models.load_model)
    found["stepwise.keras"] = _stepwise(folder)
    found["model.json"] = Reader("model.json", network().to_json().encode(), _described)
    others = {f"keras3 {name}": _keras3(name) for name in KERAS_3} | {
        f"keras2 {name}": _keras2(name) for name in KERAS_2
    }
    for label, content in others.items():
        found[label] = Reader(label.replace(" ", "_"), content, _of_keras(folder, label))
    return found


def _operations() -> ml.Model:
    """A graph of operations, with their arguments: axes, shapes, slices, lists of tensors, arrays and numbers."""
    ops = ml.ops
    x = ml.Input((4,))
    hidden = ml.layers.Dense(4, "tanh")(x)
    left, right = ops.split(hidden, 2, axis=-1)
    gate = ops.clip(left * right - 0.5, -1.0, 1.0)
    joined = ops.concatenate([gate, ops.where(left > 0, left, ops.square(right)), hidden[:, 1:-1]], axis=1)
    size = ops.expand_dims(ops.sum(ops.abs(x), -1), (1, 2))
    scaled = ops.transpose(ops.reshape(joined, (-1, 2, 3)), (0, 2, 1)) / size
    mean = ops.mean(scaled, axis=(1, 2), keepdims=True)
    return ml.Model(x, [scaled + mean, ops.matmul(joined, np.arange(12.0, dtype="float32").reshape(6, 2))])


@ml.saving.register_keras_serializable("hostile")
def halved(x: Any, by: float = 2.0) -> Any:
    """What a `Lambda` names."""
    return x / by


@ml.saving.register_keras_serializable("hostile")
class Scaled(ml.layers.Layer):  # type: ignore[misc]
    """A layer with `call`, and a weight of its own."""

    def __init__(self, size: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight((self.size,), "ones", name="scale")

    def call(self, x: Any) -> Any:
        return ml.ops.tanh(x * self.scale)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@ml.saving.register_keras_serializable("hostile")
class Stepwise(ml.Model):  # type: ignore[misc]
    """A subclass with `call`, layers within, and a step of its own on a tape."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.inner = [ml.layers.Dense(units, "tanh"), ml.layers.Dropout(0.25)]
        self.scaled, self.last = Scaled(units), ml.layers.Dense(2, "softmax")
        self.mean_loss = ml.metrics.Mean(name="loss")

    def call(self, x: Any, training: bool = False) -> Any:
        for layer in self.inner:
            x = layer(x, training=training) if isinstance(layer, ml.layers.Dropout) else layer(x)
        return self.last(self.scaled(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with ml.GradientTape() as tape:
            loss = ml.ops.mean(ml.losses.sparse_categorical_crossentropy(y, self(x, training=True)))
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True)
        )
        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    @property
    def metrics(self) -> list[Any]:
        return [self.mean_loss]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "adafactor": lambda: ml.optimizers.Adafactor(0.01),
    "ftrl": lambda: ml.optimizers.Ftrl(0.05, l1_regularization_strength=0.001),
    "lamb": lambda: ml.optimizers.Lamb(0.01),
    "schedule_free": lambda: ml.optimizers.ScheduleFreeAdamW(0.01, warmup_steps=3),
}


def _layers(optimizer: Callable[[], Any]) -> ml.Model:
    """The layers that came with the tape, with masks, a `Lambda` and a layer with `call` among them, once trained."""
    layers = ml.layers
    ml.utils.set_random_seed(0)
    x = ml.Input((3, 4))
    steps = layers.TimeDistributed(layers.Dense(4, "tanh"))(layers.Masking(0.5)(x))
    turned = layers.Permute((2, 1))(layers.GroupNormalization(2)(steps))
    row = layers.SpectralNormalization(layers.Dense(4))(layers.Flatten()(turned))
    again = layers.RepeatVector(2)(layers.Lambda(halved, arguments={"by": 4.0})(Scaled()(row)))
    joined = layers.Dot(axes=2)([again, steps])
    model = ml.Model(x, layers.Dense(2, "softmax")(layers.Flatten()(joined)))
    model.compile(optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.linspace(-1, 1, 24).reshape(2, 3, 4), [0, 1], verbose=0)
    return model


def stepwise(optimizer: Any) -> ml.Model:
    """The subclass with a step of its own, built and compiled."""
    model = Stepwise()
    model.build((None, 4))
    model.compile(optimizer)
    return model


def _stepwise(folder: Path) -> Reader:
    model = stepwise(OPTIMIZERS["lamb"]())
    model.fit(np.linspace(-1, 1, 16).reshape(4, 4), np.arange(4) % 2, verbose=0)
    model.save(folder / "stepwise.keras")
    return Reader("stepwise.keras", (folder / "stepwise.keras").read_bytes(), ml.models.load_model)


def _keras3(name: str) -> bytes:
    return (FILES / name).read_bytes()


def _keras2(name: str) -> bytes:
    with zipfile.ZipFile(FILES / "keras2_2.16.zip") as archive:
        return archive.read(name)


def _of_keras(folder: Path, label: str) -> Callable[[Path], object]:
    """What reads a file of Keras: weights into the model that was saved beside them."""
    which, name = label.split()
    if "weights" not in name:
        return ml.models.load_model
    model = folder / f"{which}_{name.split('weights')[0][:-1]}.h5"
    model.write_bytes((_keras2 if which == "keras2" else _keras3)(model.name.removeprefix(f"{which}_")))
    return _into(partial(ml.models.load_model, model))


def _into(make: Callable[[], ml.Model], load: Callable[[ml.Model, Path], Any] = ml.Model.load_weights) -> Any:
    """What reads weights into a network that has been there before, and looks whether a refusal has changed it."""
    model = make()

    def read(path: Path) -> None:
        before = model.get_weights()
        try:
            load(model, path)
        except ml.saving.ModelFileError:
            assert all(map(np.array_equal, model.get_weights(), before)), "weights changed by a file that was refused"
            raise

    return read


def _inspected(path: Path) -> None:
    with contents(path) as found:
        for array in found.arrays.values():
            array.read()


def _described(path: Path) -> None:
    """A description alone, of which a refusal is a ValueError: it comes in no file."""
    text = path.read_text(errors="surrogateescape")
    try:
        ml.models.model_from_json(text)
    except ValueError as error:
        raise ml.saving.ModelFileError(path, str(error)) from error
