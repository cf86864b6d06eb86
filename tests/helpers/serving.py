"""A service in a thread of its own, and requests to it, byte by byte where that matters."""

import http.client
import json
import socket
import threading
from contextlib import contextmanager

from multilayer.serve import listen, make_app
from multilayer.serve.limits import Limits
from multilayer.serve.server import Server, config_of


class Client:
    """Asks a service.

    Args:
        port: Where it listens.
    """

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None, headers=()):
        """A whole request; the status, the headers, and the body, which is taken apart where it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
            kind = response.headers.get("Content-Type", "")
            return response.status, response.headers, json.loads(content) if content and "json" in kind else content
        finally:
            connection.close()

    def predict(self, body, kind="application/json", **headers):
        """The status of a question, and its answer."""
        status, _, answer = self.ask("POST", "/predict", body, {"Content-Type": kind, **headers})
        return status, answer

    def rows(self, rows):
        """The status of a question of rows, and its answer."""
        return self.predict(json.dumps({"rows": rows}))

    @contextmanager
    def connected(self):
        """A bare connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as one:
            yield one


@contextmanager
def served(model, limits=None, **options):
    """A client of a service around a model, while entered."""
    limits = limits or Limits()
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = Server(config_of(make_app(model, limits=limits, **options), limits))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Client(port)
    finally:
        server.should_exit = True
        thread.join(20)


def everything(connection):
    """All that comes until the other side closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)
