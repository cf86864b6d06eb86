"""A data set of a few bytes, an isolated home, and web servers on this machine: what the tests here stand on."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from multilayer.datasets.description import Dataset, IdxFile

_IDX_TYPES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def _idx_bytes(array: NDArray[Any]) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, _IDX_TYPES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[NDArray[Any]], bytes]:
    """Encodes an array as IDX."""
    return _idx_bytes


@dataclass(frozen=True)
class Tiny:
    """A data set like MNIST, but small: its arrays, and its unpacked IDX files by name."""

    arrays: tuple[NDArray[np.uint8], ...]
    contents: dict[str, bytes]

    def description(self, *mirrors: str) -> Dataset:
        files = [
            IdxFile(name, array.shape, hashlib.sha256(self.contents[name]).hexdigest())
            for name, array in zip(_NAMES, self.arrays, strict=True)
        ]
        return Dataset("tiny", tuple(files), mirrors, keras_folder="keras-tiny")

    def packed(self) -> dict[str, bytes]:
        """What a mirror serves: path to body."""
        return {f"/{name}.gz": gzip.compress(content) for name, content in self.contents.items()}

    def write_raw(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            (folder / name).write_bytes(content)

    def write_packed(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))

    def write_archive(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **dict(zip(("x_train", "y_train", "x_test", "y_test"), self.arrays, strict=True)))

    def check(self, splits: Any) -> None:
        """Fails unless these are the data set's arrays."""
        (x_train, y_train), (x_test, y_test) = splits
        for found, expected in zip((x_train, y_train, x_test, y_test), self.arrays, strict=True):
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, expected)


def _make_tiny(seed: int) -> Tiny:
    rng = np.random.default_rng(seed)
    shapes = ((6, 2, 3), (6,), (2, 2, 3), (2,))
    arrays = tuple(rng.integers(0, 256, size=shape, dtype=np.uint8) for shape in shapes)
    return Tiny(arrays, {name: _idx_bytes(array) for name, array in zip(_NAMES, arrays, strict=True)})


@pytest.fixture
def tiny() -> Tiny:
    return _make_tiny(seed=1)


@pytest.fixture
def other() -> Tiny:
    """A data set of the same shapes with other values: what is in the second place that is looked at."""
    return _make_tiny(seed=2)


@dataclass(frozen=True)
class Places:
    """The folders in which `tiny` is looked for, in this order."""

    chosen: Path
    cache: Path
    keras: Path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Empty homes for everything that is looked for, and no proxy between the tests and their servers."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))  # HOME on Windows
    monkeypatch.setenv("MULTILAYER_DATASETS", str(tmp_path / "chosen"))
    monkeypatch.setenv("MULTILAYER_HOME", str(tmp_path / "multilayer"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Places(
        tmp_path / "chosen" / "tiny",
        tmp_path / "multilayer" / "datasets" / "tiny",
        tmp_path / "keras" / "datasets" / "keras-tiny",
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Says nothing: that a client goes away is what some tests are about."""


class Mirror:
    """A web server that serves bodies by path.

    Attributes:
        url: Its address.
        bodies: What it serves; anything else is 404.
        status: The status of every answer.
        headers: Further headers of every answer, in the place of its own.
        endless: Whether a body is followed by zeros without end.
        sent: How many bytes of a body it sends before it drops the connection.
        gets: The paths that were downloaded.
        asked: Called before the answer to a download.
        half_way: Called when half of a body has been sent.
        after_each_byte: Called after each byte of a body, where it is set: they are sent one by one.
    """

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies
        self.status = 200
        self.headers: dict[str, str] = {}
        self.endless = False
        self.sent: int | None = None
        self.gets: list[str] = []
        self.asked: Callable[[], object] = lambda: None
        self.half_way: Callable[[], object] = lambda: None
        self.after_each_byte: Callable[[], object] | None = None
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                body = mirror.bodies.get(self.path)
                self.send_response(404 if body is None else mirror.status)
                headers = {"Content-Length": str(len(body or b""))} | mirror.headers
                for name, value in headers.items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                mirror.gets.append(self.path)
                mirror.asked()
                self.do_HEAD()
                body = mirror.bodies.get(self.path, b"")[: mirror.sent]
                if mirror.after_each_byte:
                    for i in range(len(body)):
                        self.wfile.write(body[i : i + 1])
                        mirror.after_each_byte()
                    return
                middle = len(body) // 2
                self.wfile.write(body[:middle])
                mirror.half_way()
                self.wfile.write(body[middle:])
                while mirror.endless:
                    self.wfile.write(bytes(1 << 16))

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes]], Mirror]]:
    """Starts mirrors; they end with the test."""
    mirrors: list[Mirror] = []

    def start(bodies: dict[str, bytes]) -> Mirror:
        mirrors.append(Mirror(bodies))
        return mirrors[-1]

    yield start
    for mirror in mirrors:
        mirror.close()
