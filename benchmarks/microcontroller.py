"""MNIST in the flash of a microcontroller: a network in 48 KB of int8, and one of 4 bits in 16 KB with 2 KB of RAM.

    MULTILAYER_DATASETS=... python benchmarks/microcontroller.py [--epochs 60] [--folder DIRECTORY]

Both are trained from fixed seeds and written to C in the folder. Printed are, for the network in whole numbers, its
accuracy on all 10,000 test digits, its bytes of flash and of RAM, and, where there is a C compiler, whether the C gives
the same numbers for every one of these digits. Flash is what the linker says for a Cortex-M0, with the compiler's own
helpers for numbers of 64 bits, where `arm-none-eabi-gcc` or `ziglang` (`pip install ziglang`) is installed, else the
bytes of all constants alone. RAM is the working memory and the output; the picture is the caller's.

The small network takes the picture as it is, 28 x 28. It shrinks it to 16 x 16 itself, by two fixed layers of 4 bits
that are computed in whole numbers like all others: 20 rows in the middle become 16, and so do the columns. Its three
hidden layers see each digit turned, sheared, scaled, shifted and bent a little differently in every epoch.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import multilayer as ml
from multilayer import layers
from multilayer.export import IntegerNetwork, quantize

Array = npt.NDArray[Any]

SIDE, SEEN, SMALL = 28, 20, 16  # pixels of a picture, those of them that are looked at, and what becomes of these
GROUP = 40  # pictures that are bent alike
BATCH = 100


def digits() -> tuple[Array, Array, Array, Array]:
    """MNIST's pictures as rows of ink from 0 to 255, and their labels."""
    (x, y), (x_test, y_test) = ml.datasets.mnist.load_data()
    return x.reshape(-1, SIDE**2).astype(np.float32), y, x_test.reshape(-1, SIDE**2).astype(np.float32), y_test


# --- 48 KB, 8 bits after training -------------------------------------------------------------------------------------


def trained_as_usual(x: Array, y: Array) -> Any:
    """A network in float32, of which nobody has told that it will be one of whole numbers."""
    ml.utils.set_random_seed(0)
    model = ml.Sequential(
        [
            ml.Input((SIDE**2,)),
            layers.Rescaling(1 / 255),
            layers.Dropout(0.1),
            layers.Dense(56, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    epochs = 20
    schedule = ml.optimizers.schedules.CosineDecay(5e-3, epochs * len(x) // BATCH)
    model.compile(ml.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)
    return model


# --- 16 KB, 4 bits in training ----------------------------------------------------------------------------------------


def shrinking() -> Array:
    """The mean ink over each of 16 equal parts of the 20 rows in the middle, as a matrix (28, 16).

    It holds fifths alone, which 4 bits hold exactly.
    """
    edges = (SIDE - SEEN) / 2 + np.arange(SMALL + 1) * SEEN / SMALL
    pixels = np.arange(SIDE)[:, None]
    overlaps = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    return (np.clip(overlaps, 0, 1) * SMALL / SEEN).astype(np.float32)


def in_front(x: Any) -> Any:
    """A picture made small: one product for its columns, and the same one for its rows."""
    dense = layers.Dense(SMALL, use_bias=False, trainable=False, name="shrink")
    shrink = layers.QuantizationAware(dense, bits=4, trainable=False, name="shrink_in_4_bits")
    x = layers.Reshape((SIDE, SIDE))(layers.Rescaling(1 / 255)(x))
    small = layers.Flatten()(shrink(layers.Permute((2, 1))(shrink(x))))
    dense.kernel.assign(shrinking())
    shrink.step.assign(np.full(SMALL, 0.2))
    shrink.moving_maximum.assign(1.0)
    return small


def bent(x: Array, random: np.random.Generator) -> Array:
    """Pictures (n, 784), all turned, sheared, scaled, shifted and bent alike, by some random amounts."""
    turn, shear = random.normal(0.0, 0.085), random.normal(0.0, 0.085)
    scale, shift = np.exp(random.normal(0.0, 0.056, 2)), random.normal(0.0, 0.63, (2, 1))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = (SIDE - 1) / 2
    grid = np.mgrid[:SIDE, :SIDE].reshape(2, -1) - middle
    by_hand = np.stack([(_BENDS @ random.normal(0.0, 0.7, (5, 5)) @ _BENDS.T).ravel() for _ in range(2)])
    from_where = turned @ [[1.0, shear], [0.0, 1.0]] @ np.diag(scale) @ grid + middle + shift + by_hand
    from_where = np.clip(from_where, 0.0, SIDE - 1.001)
    corner = from_where.astype(int)
    (down, right), first = (from_where - corner).astype(np.float32), corner[0] * SIDE + corner[1]
    shares = (
        (0, (1 - down) * (1 - right)),
        (1, (1 - down) * right),
        (SIDE, down * (1 - right)),
        (SIDE + 1, down * right),
    )
    columns = np.ascontiguousarray(x.T)
    return np.ascontiguousarray(sum(columns[first + beside] * share[:, None] for beside, share in shares).T)


def _bends() -> Array:
    """From 5 points along a side, smoothly to all 28 pixels."""
    place = np.linspace(0.0, 4.0, SIDE)
    left = np.minimum(place.astype(int), 3)
    share = place - left
    share = share**2 * (3.0 - 2.0 * share)
    bends = np.zeros((SIDE, 5))
    bends[np.arange(SIDE), left], bends[np.arange(SIDE), left + 1] = 1.0 - share, share
    return bends


_BENDS = _bends()


def shrunk(x: Array, kernel: Array) -> Array:
    """What `in_front` makes of pictures, but with ink from 0 to 1, and without rounding."""
    columns = x.reshape(-1, SIDE, SIDE) @ kernel
    return np.ascontiguousarray((columns.transpose(0, 2, 1) @ kernel).reshape(len(x), -1))


def trained_for_few_bits(x: Array, y: Array, epochs: int) -> Any:
    """A network of 4 bits a weight, with the layers in front that shrink."""
    ml.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    widths = ((64, "relu"), (64, "relu"), (64, "relu"), (10, None))
    hidden = [layers.QuantizationAware(layers.Dense(h, activation=f), bits=4) for h, f in widths]
    model = ml.Sequential([ml.Input((SMALL**2,)), *hidden])
    schedule = ml.optimizers.schedules.CosineDecay(2e-3, epochs * len(x) // BATCH)
    model.compile(ml.optimizers.Adam(schedule), ml.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, kernel = x / 255, shrinking()
    for epoch in range(epochs):
        order = random.permutation(len(x))
        groups = [shrunk(bent(x[order[i : i + GROUP]], random), kernel) for i in range(0, len(x), GROUP)]
        model.fit(np.concatenate(groups), y[order], batch_size=BATCH, shuffle=False, verbose=0)
        print(f"\repoch {epoch + 1} of {epochs}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    picture = ml.Input((SIDE**2,))
    y = in_front(picture)
    for layer in hidden:
        y = layer(y)
    return ml.Model(picture, y)


# --- What comes of it -------------------------------------------------------------------------------------------------


def flash(folder: Path, name: str, network: IntegerNetwork) -> tuple[int, str]:
    """Bytes of flash, and who says so."""
    elf, source = folder / f"{name}.elf", folder / f"{name}.c"
    if shutil.which("arm-none-eabi-gcc"):
        options = ["-mcpu=cortex-m0", "-mthumb", "-Os", "-std=c99", "-ffunction-sections", "-nostdlib"]
        link = ["-Wl,--gc-sections", f"-Wl,-e,{name}_predict", "-lgcc"]
        subprocess.run(["arm-none-eabi-gcc", *options, str(source), *link, "-o", str(elf)], check=True)
        return _sections(["arm-none-eabi-size", "-A", str(elf)]), "arm-none-eabi-size"
    zig = [sys.executable, "-m", "ziglang"]
    if shutil.which("size") and subprocess.run([*zig, "version"], capture_output=True, check=False).returncode == 0:
        target = ["-target", "thumb-freestanding-eabi", "-mcpu", "cortex_m0", "-OReleaseSmall", "-fcompiler-rt"]
        link = [f"-fentry={name}_predict", "--gc-sections", "-fno-unwind-tables", f"-femit-bin={elf}"]
        subprocess.run([*zig, "build-exe", str(source), *target, *link], check=True)
        return _sections(["size", "-A", str(elf)]), "size, of what ziglang links"
    return network.weight_bytes(), "constants alone: no compiler for ARM is installed"


def _sections(command: list[str]) -> int:
    """The bytes of code and of constants."""
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    sizes = {words[0]: int(words[1]) for line in lines if len(words := line.split()) == 3 and words[1].isdigit()}
    return sum(size for name, size in sizes.items() if name.startswith((".text", ".rodata", ".data")))


_ALL_DIGITS = """\
#include "{name}.h"
#include <stdio.h>
int main(void)
{{
    static int8_t input[{macro}_INPUT_SIZE], output[{macro}_OUTPUT_SIZE], work[{macro}_WORK_SIZE];
    while (fread(input, 1, sizeof input, stdin) == sizeof input) {{
        {name}_predict(input, output, work);
        fwrite(output, 1, sizeof output, stdout);
    }}
    return 0;
}}
"""


def numbers_of_c(folder: Path, name: str, rows: Array) -> Array | None:
    """What the C gives for rows of whole numbers; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    (folder / "all_digits.c").write_text(_ALL_DIGITS.format(name=name, macro=name.upper()))
    files = [str(folder / "all_digits.c"), str(folder / f"{name}.c")]
    subprocess.run([compiler, "-std=c99", "-O2", *files, "-o", str(folder / "all_digits")], check=True)
    found = subprocess.run([str(folder / "all_digits")], input=rows.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(found, np.int8).reshape(len(rows), -1)


def report(folder: Path, name: str, model: Any, x: Array, x_test: Array, y_test: Array) -> None:
    """Writes the C and prints the figures."""
    calibration = x[:1000]
    model.export(folder / f"{name}.c", dtype="int8", calibration=calibration, verbose=False)
    network = quantize(model, calibration)
    rows = network.quantized([x_test])
    (numbers,) = network.run(rows)
    found = numbers_of_c(folder, name, rows[0])
    same = (
        "no compiler" if found is None else f"{np.count_nonzero((found == numbers).all(axis=1)):,} of {len(rows[0]):,}"
    )
    size, source = flash(folder, name, network)
    ram = int((folder / f"{name}.h").read_text().split("_WORK_SIZE ")[1].split()[0]) + numbers.shape[1]
    in_float = np.mean(model.predict(x_test, verbose=0).argmax(axis=1) == y_test)
    print(f"{name}: {np.mean(numbers.argmax(axis=1) == y_test):.2%} of {len(y_test):,} test digits", end="")
    print(f" ({in_float:.2%} by the model in Python)")
    print(f"  flash {size:,} bytes ({source}), of which {network.weight_bytes():,} are constants")
    print(f"  RAM {ram:,} bytes beside the picture, {network.multiplications():,} multiplications a digit")
    print(f"  digits for which the C gives the same numbers: {same}", flush=True)


def main() -> None:
    """Trains both networks and prints their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60, help="epochs of the network of 4 bits")
    parser.add_argument("--folder", type=Path, help="where the C files are kept")
    arguments = parser.parse_args()
    x, y, x_test, y_test = digits()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report(folder, "digits8", trained_as_usual(x, y), x, x_test, y_test)
        model = trained_for_few_bits(x, y, arguments.epochs)
        if arguments.folder:
            model.save(folder / "digits4.keras")
        report(folder, "digits4", model, x, x_test, y_test)


if __name__ == "__main__":
    main()
