"""Web servers on this machine, and a home that nothing was downloaded to yet."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


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


@contextmanager
def serving() -> Iterator[Callable[[dict[str, bytes]], Mirror]]:
    """Yields what starts mirrors; they end with the block."""
    mirrors: list[Mirror] = []

    def start(bodies: dict[str, bytes]) -> Mirror:
        mirrors.append(Mirror(bodies))
        return mirrors[-1]

    try:
        yield start
    finally:
        for mirror in mirrors:
            mirror.close()


def isolate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sets homes in an empty folder for everything that is looked for, and no proxy between tests and their servers."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))  # HOME on Windows
    monkeypatch.setenv("MULTILAYER_DATASETS", str(tmp_path / "chosen"))
    monkeypatch.setenv("MULTILAYER_HOME", str(tmp_path / "multilayer"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
