"""The odd commands that `commands.py` calls: in numbers, names, paths, files, environments, streams and disks."""

from __future__ import annotations

import gzip
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import multilayer as ml
from hostile.mutations import damaged

QUICK = ["--data", "synthetic_digits", "--samples", "60"]
TRAIN = ["train", *QUICK, "--epochs", "1", "--hidden", "5", "--seed", "1", "--output", "out"]
COMPARE = ["compare", *QUICK, "--epochs", "1", "--width", "5", "--output", "out"]
COMMANDS = {
    "train": TRAIN,
    "evaluate": ["evaluate", "run", *QUICK],
    "predict": ["predict", "run", "picture.png"],
    "summary": ["summary", "run"],
    "inspect": ["inspect", "run/model.npz"],
    "plot": ["plot", "run"],
    "compare": COMPARE,
    "info": ["info"],
    "help": ["--help"],
}
_NONE: Any = MappingProxyType({})


class Case(NamedTuple):
    """A command, what is done before it, and what it finds.

    Attributes:
        kind: What is odd about it.
        arguments: Those of the command line.
        before: Makes what it finds in its folder.
        environment: Variables beside the usual ones; None takes one away. The process is then started anew.
        streams: What stdin, stdout and stderr are, where not files: 'closed', 'full' or 'broken'.
        limits: Of the process, by the resource's name.
    """

    kind: str
    arguments: list[str]
    before: Callable[[Path], object] = lambda folder: None
    environment: dict[str, str | None] | None = None
    streams: Mapping[int, str] = _NONE
    limits: Mapping[str, int] = _NONE


NUMBERS = (
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1.5",
    "0x10",
    "9" * 5000,
    "1e-320",
    str(2**64),
    "é",
    "5;5",
    "\x1b[2J",
)
NAMES = (
    "",
    "os.system",
    "__class__",
    "../../x",
    "\x1b[2Jx",
    "relu\n",
    "😀",
    "x" * 5000,
    "Dense",
    "get",
    "\udcff",
    "Optimizer",
)
PATHS = (
    *("", "/", "/proc/x", "/sys/x", "/dev/null", "/dev/full", "/dev/null/x", "file", "fifo", "nowhere", "loop", "run"),
    *(
        "x" * 300,
        "/".join(["x"] * 2000),
        "a\nb",
        "\x1b[31mred",
        "\udcff",
        ".",
        "~",
        "locked",
        "locked/x",
        "-x",
        "file/x",
    ),
)


def numbers() -> Iterator[Case]:
    for option in ("--epochs", "--batch-size", "--seed", "--samples", "--learning-rate", "--hidden"):
        yield from (Case("numbers", [*TRAIN, option, value]) for value in NUMBERS)
    for option in ("--learning-rate", "--layers", "--width", "--batch-size", "--dropout"):
        yield from (Case("numbers", [*COMPARE, option, value, "1"]) for value in NUMBERS[:12])
    yield from (Case("numbers", ["benchmark", "--rounds", value]) for value in NUMBERS if value != str(2**64))
    for value in ("1000000000", "100000,100000,100000", ",", "5,,5", "5," * 5000 + "5", "5 5"):
        yield Case("numbers", [*TRAIN, "--hidden", value], limits={"RLIMIT_AS": 4 * 2**30})
    for option, value in (("--width", "1000000000"), ("--layers", "1000000"), ("--batch-size", str(2**31 - 1))):
        yield Case("numbers", [*COMPARE, option, value], limits={"RLIMIT_AS": 4 * 2**30})
    yield Case("numbers", [*TRAIN, "--learning-rate", "1e30", "--optimizer", "sgd", "--activation", "relu"])


def names() -> Iterator[Case]:
    for base, option in (
        (TRAIN, "--activation"),
        (TRAIN, "--optimizer"),
        (TRAIN, "--data"),
        (COMPARE, "--initializer"),
    ):
        yield from (Case("names", [*base, option, value]) for value in NAMES)
    yield from (Case("names", [value]) for value in (*NAMES, "--nonsense", "--epochs", "-9"))
    yield from (Case("names", [command, "--nonsense"]) for command in (*COMMANDS, "benchmark"))


def _places(folder: Path) -> None:
    (folder / "file").write_text("mine")
    os.mkfifo(folder / "fifo")
    (folder / "nowhere").symlink_to("missing/further")
    (folder / "loop").symlink_to("loop")
    (folder / "locked").mkdir()
    (folder / "locked" / "mine").write_text("mine")
    (folder / "locked").chmod(0o555)


def places() -> Iterator[Case]:
    for base in (TRAIN, COMPARE):
        yield from (Case("places", [*base, "--output", path], _places) for path in PATHS)
    yield from (Case("places", ["train", "--resume", path], _places) for path in PATHS if path != "run")
    yield from (Case("places", ["plot", path], _places) for path in PATHS if path != "run")


def _zip(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _saved(*widths: int, classes: int = 10) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        model = ml.Sequential([ml.Input(widths), ml.layers.Flatten(), ml.layers.Dense(classes, name="hidden")])
        model.compile("sgd", "mse")
        model.save(path)

    return save


def _renamed(path: Path) -> None:
    """A file whose layer has a name that no layer can have here."""
    _saved(784)(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    _zip(path, **{name: content.replace(b'"hidden"', b'"\\u001b"') for name, content in members.items()})


MODELS: dict[str, Callable[[Path], object]] = {
    "missing.npz": lambda path: None,
    "folder.npz": lambda path: path.mkdir(),
    "folder": lambda path: path.mkdir(),
    "empty.npz": lambda path: path.touch(),
    "fifo.npz": os.mkfifo,
    "loop.keras": lambda path: path.symlink_to(path),
    "zero.npz": lambda path: path.symlink_to("/dev/zero"),
    "secret.npz": lambda path: (path.write_bytes(b"PK"), path.chmod(0)),
    "text.npz": lambda path: path.write_text("hello"),
    "page.keras": lambda path: path.write_text("<!DOCTYPE html><html>404</html>"),
    "pointer.keras": lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
    "pickle.h5": lambda path: path.write_bytes(pickle.dumps([1])),
    "torch.pt": lambda path: _zip(path, **{"archive/data.pkl": pickle.dumps([1])}),
    "bomb.npz": lambda path: _zip(path, **{"a.npy": bytes(2**28)}),
    "bomb.keras": lambda path: _zip(path, **{"config.json": b" " * 2**28}),
    "other.txt": lambda path: path.write_text("hello"),
    "hdf.h5": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500)),
    "odd.npz": _saved(7),
    "square.npz": _saved(5, 5),
    "wide.npz": _saved(784, classes=3),
    "one.npz": _saved(784, classes=1),
    "named.npz": _renamed,
    "named.keras": _renamed,
    "x\n\x1b[31m.npz": _saved(784),
    "\udcff.npz": _saved(784),
    "x" * 300 + ".npz": lambda path: None,
}


def models() -> Iterator[Case]:
    for name, make in MODELS.items():
        for command in ("evaluate", "predict", "summary", "inspect"):
            arguments = {"evaluate": QUICK, "predict": ["picture.png"], "inspect": ["--finite"]}.get(command, [])
            yield Case("models", [command, name, *arguments], lambda folder, name=name, make=make: make(folder / name))


def _image(mode: str, size: tuple[int, int], **options: Any) -> Callable[[Path], None]:
    return lambda path: Image.new(mode, size, 255 if mode == "L" else 0).save(path, **options)


def _png_bomb(path: Path) -> None:
    Image.new("L", (1, 1)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60000, 60000)
    path.write_bytes(content)


PICTURES: dict[str, Callable[[Path], object]] = {
    **{name: MODELS[f"{name}.npz"] for name in ("missing", "folder", "empty", "fifo", "zero", "secret", "text")},
    "bomb.png": _png_bomb,
    "eps.png": lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"),
    "page.png": lambda path: path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "cut.png": lambda path: (_image("L", (90, 90))(path), path.write_bytes(path.read_bytes()[:70])),
    "point.png": _image("L", (1, 1)),
    "line.png": _image("L", (3000, 1)),
    "clear.png": _image("RGBA", (40, 40)),
    "cmyk.tiff": _image("CMYK", (40, 40)),
    "deep.png": _image("I;16", (40, 40)),
    "float.tiff": _image("F", (40, 40)),
    "moving.gif": lambda path: Image.new("P", (9, 9)).save(
        path, save_all=True, append_images=[Image.new("P", (9, 9))] * 9
    ),
    "x\x1b[2J.png": _image("L", (28, 28)),
    "\udcff.png": _image("L", (28, 28)),
    "images-idx3-ubyte": lambda path: path.write_bytes(struct.pack(">4I", 0x803, 2**31, 28, 28)),
    "few-images-idx3-ubyte": lambda path: path.write_bytes(struct.pack(">4I", 0x803, 0, 28, 28)),
    "large-images-idx3-ubyte": lambda path: path.write_bytes(struct.pack(">4I", 0x803, 1, 2**16, 2**16)),
    "bomb-images-idx3-ubyte.gz": lambda path: path.write_bytes(
        gzip.compress(struct.pack(">4I", 0x803, 2, 28, 28) + bytes(2**27))
    ),
    "labels-idx1-ubyte": lambda path: path.write_bytes(struct.pack(">2I", 0x801, 2) + b"\1\2"),
}


def pictures() -> Iterator[Case]:
    for name, make in PICTURES.items():
        for option in ([], ["--as-is", "--csv"]):
            before = lambda folder, name=name, make=make: make(folder / name)  # noqa: E731
            yield Case("pictures", ["predict", "run", "picture.png", name, *option], before)


JSON = (
    "",
    "[]",
    "null",
    "[" * 100_000,
    '{"a":1,"a":2}',
    "\x00",
    "9" * 5000,
    '{"complete":false}',
    '{"complete":1,"options":[]}',
)
HISTORY = (
    "",
    "epoch,loss\n1,\x00",
    "epoch,loss\n1,nan",
    "epoch,loss\n",
    "a\n1\n2,3",
    "epoch,loss,accuracy\n1,2,1e999",
    '"',
    "\ufeff",
    "x" * 99999,
)


def runs(chosen: random.Random, whole: Path) -> Iterator[Case]:
    def write(name: str, content: str | bytes) -> Callable[[Path], None]:
        content = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        return lambda folder: ((folder / "run" / name).unlink(), (folder / "run" / name).write_bytes(content))

    def change(name: str, how: Callable[[Path], object]) -> Callable[[Path], None]:
        def before(folder: Path) -> None:
            path = folder / "run" / name
            path.rename(folder / "aside")
            how(path)

        return before

    more = ["train", "--resume", "run", "--epochs", "2"]
    for text in JSON:
        yield Case("run folders", more, write("run.json", text))
        yield Case("run folders", ["evaluate", "run"], write("trained_on.json", text))
        yield Case("run folders", [*TRAIN, "--options", "run/run.json"], write("run.json", text))
    yield from (Case("run folders", ["plot", "run"], write("history.csv", text)) for text in HISTORY)
    for name, command in (
        ("run.json", more),
        ("history.csv", ["plot", "run"]),
        ("trained_on.json", ["evaluate", "run"]),
    ):
        for how in (
            os.mkfifo,
            Path.mkdir,
            lambda path: path.symlink_to(path),
            lambda path: path.symlink_to("/etc/passwd"),
        ):
            yield Case("run folders", command, change(name, how))
    for how in (os.mkfifo, Path.touch, lambda path: path.symlink_to(path)):
        yield Case("run folders", more, change("backup", how))
        yield Case("run folders", more, change("backup/latest.npz", how))
    backup = (whole / "backup" / "latest.npz").read_bytes()
    for _ in range(25):
        yield Case("run folders", more, write("backup/latest.npz", damaged(chosen, backup)))
    text = (whole / "run.json").read_bytes()
    for _ in range(15):
        yield Case("run folders", more, write("run.json", damaged(chosen, text)))
    yield Case("run folders", more, lambda folder: (folder / "run").chmod(0o555))
    yield Case("run folders", ["plot", "run"], lambda folder: (folder / "run").chmod(0o555))
    yield Case("run folders", [*more, "--hidden", "6"])
    yield Case("run folders", [*more, "--output", "elsewhere"])


def option_files() -> Iterator[Case]:
    texts = (*JSON, '{"epochs":"x"}', '{"epochs":[1]}', '{"epochs":1e400}', '{"x\\u001b[2J":1}', '{"hidden":{"a":1}}')
    texts += (
        '{"resume":"run"}',
        '{"output":"/proc/x"}',
        '{"seed":-1}',
        '{"samples":99999999999999999999}',
        '{"quiet":3}',
    )
    for suffix in (".json", ".toml"):
        for text in (*texts, "epochs = ", "epochs = 1\nepochs = 2", "a = " + "[" * 5000):
            before = lambda folder, text=text, suffix=suffix: (folder / f"o{suffix}").write_text(text)  # noqa: E731
            yield Case("option files", [*TRAIN, "--options", f"o{suffix}"], before)
    for name in ("missing", "folder", "fifo", "zero", "secret"):
        before = lambda folder, name=name: MODELS[f"{name}.npz"](folder / name)  # noqa: E731
        yield Case("option files", [*TRAIN, "--options", name], before)


def data_sets(chosen: random.Random) -> Iterator[Case]:
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }".ljust(117)
        + b"\n"
    )

    def archive(member: bytes) -> Callable[[Path], None]:
        return lambda path: _zip(
            path / "mnist.npz", **{f"{name}.npy": member for name in ("x_train", "y_train", "x_test", "y_test")}
        )

    def idx(content: bytes, suffix: str = "") -> Callable[[Path], None]:
        names = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
        return lambda path: [(path / f"{name}{suffix}").write_bytes(content) for name in names] and None

    made = [archive(header), archive(b""), archive(header[:40]), archive(pickle.dumps(1)), idx(b""), idx(b"x" * 99)]
    made += [archive(damaged(chosen, header)) for _ in range(8)]
    made += [
        idx(struct.pack(">4I", 0x803, 60000, 28, 28)),
        idx(b"\x1f\x8b", ".gz"),
        idx(gzip.compress(bytes(2**26)), ".gz"),
    ]
    made += [lambda path: os.mkfifo(path / "mnist.npz"), lambda path: (path / "mnist.npz").mkdir()]
    made += [lambda path: (path / "mnist.npz").symlink_to("/dev/zero"), lambda path: path.chmod(0)]
    made += [lambda path: ((path / "mnist.npz").touch(), (path / "mnist.npz").chmod(0))]
    for make in made:
        for command in (
            ["train", "--data", "mnist", "--epochs", "1", "--output", "out"],
            ["evaluate", "run", "--data", "mnist"],
        ):

            def before(folder: Path, make: Callable[[Path], object] = make) -> None:
                (folder / "data" / "mnist").mkdir(parents=True)
                make(folder / "data" / "mnist")

            yield Case("data sets", command, before, {"MULTILAYER_DATASETS": "data"})


ENVIRONMENTS: tuple[dict[str, str | None], ...] = (
    *({"MULTILAYER_KERNELS": value} for value in ("nonsense", "", "\x1b[2J")),
    *({"MULTILAYER_DATASETS": value} for value in ("/dev/null", "", "~nobody9", "\x1b[2J", "x" * 5000, "\udcff")),
    *({"MULTILAYER_HOME": value} for value in ("/proc", "/dev/null", "x" * 5000)),
    *({"HOME": value} for value in (None, "", "/nonexistent", "/dev/null")),
    *({"COLUMNS": value} for value in ("-5", "0", "1", "x", "9" * 30)),
    *({"TERM": value} for value in ("dumb", "", "\x1b")),
    *({"OPENBLAS_NUM_THREADS": value} for value in ("-1", "x", "99999")),
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "xx_YY", "LANG": "xx"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONWARNINGS": "error"},
    {"PYTHONOPTIMIZE": "2"},
    {"MPLBACKEND": "nonsense"},
    {"MPLCONFIGDIR": "/proc"},
    {"TMPDIR": "/nonexistent"},
    {"FORCE_COLOR": "", "NO_COLOR": ""},
    {"_MULTILAYER_COMPLETE": "nonsense"},
    {"_MULTILAYER_COMPLETE": "complete_bash", "COMP_WORDS": "multilayer train --activation ", "COMP_CWORD": "x"},
)


def environments() -> Iterator[Case]:
    for variables in ENVIRONMENTS:
        for name in ("train", "info") if "MULTILAYER_DATASETS" not in variables else ("train",):
            arguments = COMMANDS[name]
            if {"MULTILAYER_DATASETS", "MULTILAYER_HOME", "HOME"} & set(variables):
                arguments = [word.replace("synthetic_digits", "mnist") for word in arguments]
            yield Case("environments", arguments, environment=variables)


def streams() -> Iterator[Case]:
    for arguments in (*COMMANDS.values(), ["train", "--epochs", "x"], ["summary", "missing"]):
        for found in (
            {1: "closed"},
            {1: "full"},
            {1: "broken"},
            {2: "closed"},
            {2: "full"},
            {0: "closed", 1: "closed", 2: "closed"},
        ):
            yield Case("streams", arguments, streams=found)


def disks() -> Iterator[Case]:
    resumed = ["train", "--resume", "run", "--epochs", "2"]
    for arguments in (TRAIN, COMPARE, COMMANDS["plot"], resumed, COMMANDS["predict"]):
        for size in (0, 1, 500, 3000, 20_000, 50_000):
            yield Case("disks", arguments, limits={"RLIMIT_FSIZE": size})
    for arguments in (TRAIN, COMPARE):
        for free in (4, 16, 64, 128):
            yield Case(
                "disks", [*arguments, "--output", "small/out"], lambda folder, free=free: _small_disk(folder, free)
            )


def _small_disk(folder: Path, kilobytes: int) -> None:
    """A file system of so much room, where root may mount one; else an ordinary folder."""
    (folder / "small").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", folder / "small"], capture_output=True)
    (folder / "small").chmod(0o777)


def cases(seed: int, whole: Path) -> list[Case]:
    """All of them.

    Args:
        seed: Of what is damaged at random.
        whole: An honest run's folder.
    """
    chosen = random.Random(seed)
    kinds = (numbers(), names(), places(), models(), pictures(), runs(chosen, whole), option_files(), data_sets(chosen))
    return [case for kind in (*kinds, environments(), streams(), disks()) for case in kind]
