"""The process behind a service: its socket, its loop, its end."""

from __future__ import annotations

import errno
import gc
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from multilayer.serve.limits import Limits
from multilayer.serve.protocol import protocol_with

_SPARE_FILES = 64  # besides connections
_OBJECTS = 20_000  # that are made before those are looked for that nobody holds


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: A name or an address of this machine.
        port: The port; 0 for any that is free.

    Raises:
        OSError: It cannot; the message says why, and what to do.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except socket.gaierror as error:
        raise OSError(f"There is no host {host!r} ({error.strerror}). Expected localhost or an address.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(
                f"Port {port} of {host} is in use. Name another by --port, or let one be found that is free: --port 0."
            ) from error
        if error.errno == errno.EACCES:
            raise OSError(f"Port {port} is not for every program. Expected one from 1024 on.") from error
        raise OSError(f"Cannot listen on port {port} of {host}: {error.strerror}.") from error


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds what listens."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(
    app: Starlette, listening: socket.socket, limits: Limits | None = None, begun: Callable[[], None] | None = None
) -> None:
    """Serves until Ctrl-C or SIGTERM: then what is under way is answered, and nothing new taken.

    Args:
        app: The service.
        listening: The socket.
        limits: What it takes on.
        begun: Called once it answers.
    """
    limits = limits or Limits()
    _allow_files(limits.connections + _SPARE_FILES)
    # What is there by now stays: to look through it again and again for what nobody holds took a sixth of all time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    server = Server(config_of(app, limits), begun)
    with suppress(KeyboardInterrupt):  # which uvicorn sends itself once all is cleared away
        server.run(sockets=[listening])


def config_of(app: Starlette, limits: Limits) -> uvicorn.Config:
    """How uvicorn is to serve."""
    return uvicorn.Config(
        app,
        http=protocol_with(limits),
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=limits.stopping_seconds,
        proxy_headers=False,  # nobody's word is taken for where a request comes from
    )


class Server(uvicorn.Server):
    """uvicorn's, which tells the service that it ends; see `run`."""

    def __init__(self, config: uvicorn.Config, begun: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._begun is not None:
            self._begun()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:  # a second Ctrl-C brings nothing: what is under way has a few seconds in any case
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        app.state.service.stopping.set()
        await super().shutdown(sockets)


def _allow_files(wanted: int) -> None:
    """Lets this process have as many files and connections open as the system allows; often it has 1,024 otherwise."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
