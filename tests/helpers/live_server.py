"""An application on a port of localhost, in a thread."""

import http.client
import json
import socket
import threading
from contextlib import contextmanager

import uvicorn

from multilayer.serve.limits import Limits
from multilayer.serve.server import Server, config_of


class Served:
    """An application that is served.

    Args:
        port: Its port on localhost.
    """

    def __init__(self, port):
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def request(self, method, path, body=None, kind="application/json"):
        """Status and JSON of an answer; a body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, content, {"Content-Type": kind} if content is not None else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextmanager
def served(app):
    """Serves an application as long as the block runs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # so that whoever comes before the server waits
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Served(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


def _server(app):
    if hasattr(app.state, "service"):  # a whole service, whose streams end when it does
        return Server(config_of(app, Limits()))
    return uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
