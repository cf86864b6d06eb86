"""Random damage to honest files: in their bytes, in what is packed in them, and in the meaning of their JSON."""

from __future__ import annotations

import copy
import io
import json
import random as python_random
import re
import signal
import struct
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import multilayer as ml
from hostile.readers import OPTIMIZERS, Reader, stepwise
from multilayer.saving.inspection import contents

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        0.5,
        -0.5,
        1e308,
        float("nan"),
        float("inf"),
        2**31,
        2**63,
        10**40,
        3_000_000_000,
    ),
    *("", "x", "relu", "Dense", "keras", "builtins", "os.system", "../../x", "\x00", "\ud7ff", "float16", "9" * 100),
    *([], {}, [None], [[]], [0] * 50, {"class_name": "Dense", "config": {}}, {"class_name": "__numpy__", "config": {}}),
)


def damaged_bytes(random: Random, content: bytes) -> bytes:
    """Some bits turned, bytes set, pieces cut out, put in, doubled, moved; lengths replaced; the end cut off."""
    found = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        if not found:
            break
        at = random.randrange(len(found))
        end = min(len(found), at + random.choice((1, 4, 8, 64, 512)))
        what = random.randrange(8)
        if what == 0:
            found[at] ^= 1 << random.randrange(8)
        elif what == 1:
            found[at] = random.choice((0, 0xFF, random.randrange(256)))
        elif what == 2:
            del found[at:end]
        elif what == 3:
            found[at:at] = random.randbytes(end - at)
        elif what == 4:
            found[at:at] = found[at:end]
        elif what == 5:
            other = random.randrange(len(found))
            found[other : other + end - at] = found[at:end]
        elif what == 6:
            size = random.choice((1, 2, 4, 8))
            number = random.choice(_NUMBERS) & (256**size - 1)
            found[at : at + size] = struct.pack("<Q", number)[:size]
        else:
            del found[at:]
    return bytes(found)


def damaged_json(random: Random, text: bytes) -> bytes:
    """A value somewhere in it replaced, left out, renamed, or doubled; valid JSON still."""
    whole = {"": json.loads(text)}
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(whole))
        holder, key = random.choice(places)
        what = random.randrange(5)
        if what == 0 and holder is not whole:
            del holder[key]
        elif what == 1:
            other_holder, other_key = random.choice(places)
            holder[key] = json.loads(json.dumps(other_holder[other_key]))
        elif what == 2 and isinstance(holder, dict) and holder is not whole:
            holder[str(random.choice(_VALUES))] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(random.choice(_VALUES))
    return json.dumps(whole[""]).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield value, key
        yield from _places(one)


def damaged(random: Random, content: bytes) -> bytes:
    """One of a file's damages: outside, or, in an archive, inside, where the checksums are right again."""
    inside = random.random()
    if inside < 0.7 and content.startswith(b"{"):
        return damaged_json(random, content)
    if inside < 0.5 and content.startswith(b"\x89HDF"):
        return damaged_words(random, content)
    if inside < 0.5 and content[8:9] == b"{":
        return damaged_safetensors(random, content)
    if inside >= 0.7 or not content.startswith(b"PK"):
        return damaged_bytes(random, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = random.choice(sorted(members))
    if name.endswith(".json") and random.random() < 0.8:
        members[name] = damaged_json(random, members[name])
    elif name == "config.json.npy":
        start = members[name].index(b"\n") + 1
        text = damaged_json(random, members[name][start:])
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(text)},), }}\n".encode()
        members[name] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + text
    else:
        members[name] = damaged_bytes(random, members[name])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member, inner in members.items():
            archive.writestr(member, inner)
    return packed.getvalue()


def damaged_words(random: Random, content: bytes) -> bytes:
    """A JSON text in HDF5, such as a model's config, damaged within its length: spaces fill what it lacks of that."""
    texts = [found for found in re.finditer(rb'\{"[ -~]{20,}\}', content) if _is_json(found[0])]
    if not texts:
        return damaged_bytes(random, content)
    start, end = random.choice(texts).span()
    for _ in range(20):
        text = damaged_json(random, content[start:end])
        if len(text) <= end - start:
            return content[:start] + text.ljust(end - start) + content[end:]
    return damaged_bytes(random, content)


def _is_json(text: bytes) -> bool:
    with suppress(ValueError):
        return isinstance(json.loads(text), dict)
    return False


def damaged_safetensors(random: Random, content: bytes) -> bytes:
    """Its header damaged, and its length right again."""
    length = struct.unpack("<Q", content[:8])[0]
    header = damaged_json(random, content[8 : 8 + length])
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


class Hang(BaseException):
    """A file took longer than any may."""


@contextmanager
def at_most_seconds(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: Any) -> None:
        raise Hang(f"after {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def inspect(path: Path) -> None:
    """Looks into a file as `multilayer inspect` does; whether it is refused there is not what is asked here."""
    with suppress(ml.saving.ModelFileError), contents(path) as found:
        for array in found.arrays.values():
            array.read()


def fuzz(folder: Path, readers: Mapping[str, Reader], mutations: int, seed: int) -> Counter[tuple[str, str]]:
    """Inspects and reads so many damaged files, for each reader in turn.

    Returns:
        How often each reader's were 'loaded' and 'refused'.

    Raises:
        AssertionError: Some did something else; the message says how to get those very files again, which are kept.
    """
    counts: Counter[tuple[str, str]] = Counter()
    faults: list[str] = []
    labels = sorted(readers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(mutations):
            reader = readers[label := labels[i % len(labels)]]
            path = folder / reader.name
            path.write_bytes(damaged(Random(f"{seed}/{i}"), reader.content))
            try:
                with at_most_seconds(20):
                    inspect(path)
                    reader.read(path)
                counts[label, "loaded"] += 1
            except ml.saving.ModelFileError:
                counts[label, "refused"] += 1
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                kept = path.rename(folder / f"{seed}-{i}-{reader.name}")
                faults.append(f"Seed {seed}, mutation {i} ({label}), kept as {kept}: {type(error).__name__}: {error}")
    assert not faults, "\n".join(faults)
    return counts


# --- Backups ---

ROWS, LABELS = np.linspace(-1, 1, 48).reshape(12, 4), np.arange(12) % 2
BACKUP = "latest.npz"


def _sequential() -> ml.Model:
    layers = [ml.Input((4,)), ml.layers.Dense(3), ml.layers.Dropout(0.5), ml.layers.Dense(2, "softmax")]
    return ml.Sequential(layers)


def _compiled(optimizer: Any) -> ml.Model:
    model = _sequential()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


RUNS: dict[str, Callable[[], ml.Model]] = {
    "adam": lambda: _compiled("adam"),
    "subclass, adafactor": lambda: stepwise(OPTIMIZERS["adafactor"]()),
    "ftrl": lambda: _compiled(OPTIMIZERS["ftrl"]()),
    "subclass, lamb": lambda: stepwise(OPTIMIZERS["lamb"]()),
    "schedule-free": lambda: _compiled(OPTIMIZERS["schedule_free"]()),
}


def go_on(folder: Path, kill: bool = False, run: str = "adam") -> ml.Model:
    """Trains for two epochs with a backup after every step, from the backup that there is."""

    class Kill(ml.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if kill and self.model.optimizer.iterations == 5:
                raise Hang("no hang: this is where the backup is wanted")

    ml.utils.set_random_seed(0)
    model = RUNS[run]()
    watching = [
        ml.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
        ml.callbacks.ReduceLROnPlateau("loss"),
        ml.callbacks.BackupAndRestore(folder, save_freq=1, delete_checkpoint=False),
        Kill(),
    ]
    model.fit(ROWS, LABELS, batch_size=4, epochs=2, verbose=0, callbacks=watching)
    return model


def fuzz_backups(folder: Path, mutations: int, seed: int) -> Counter[str]:
    """Goes on from so many damaged backups.

    Returns:
        How often a run went on to its end, with finite weights and generators that can be drawn from, and how often it
        was refused before its first epoch, the model as it was.

    Raises:
        AssertionError: Something else came of one; the message says how to get that very backup again.
    """
    honest, counts = [], Counter[str]()
    for number, run in enumerate(RUNS):
        with suppress(Hang):
            go_on(folder / str(number), kill=True, run=run)
        honest.append((run, folder / str(number) / BACKUP, (folder / str(number) / BACKUP).read_bytes()))
    before = np.random.get_state(legacy=False), python_random.getstate()  # noqa: NPY002 - backups move it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(mutations):
            run, path, content = honest[i % len(honest)]
            path.write_bytes(damaged(Random(f"{seed}/{i}"), content))
            kept = path.read_bytes()
            try:
                with at_most_seconds(20):
                    model = go_on(path.parent, run=run)
                    assert all(np.isfinite(weight).all() for weight in model.get_weights()), "weights of NaN"
                    assert np.isfinite(np.random.normal(size=700)).all()  # noqa: NPY002
                    assert python_random.gauss(0, 1) < 100
                counts["gone on"] += 1
            except ValueError as error:
                if str(folder) not in str(error) or "begin anew" not in str(error):
                    raise AssertionError(
                        f"Seed {seed}, mutation {i}, {run}: a refusal that helps nobody: {error}"
                    ) from error
                counts["refused"] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                path.with_name("kept.npz").write_bytes(kept)
                where = f"Seed {seed}, mutation {i}, {run}, kept as {path.with_name('kept.npz')}"
                raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    np.random.set_state(before[0])  # noqa: NPY002
    python_random.setstate(before[1])
    return counts
