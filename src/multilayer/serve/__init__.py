"""A page and a service around a network, on localhost: what `multilayer serve` opens.

It needs Starlette and uvicorn (`pip install "multilayer[serve]"`), which are imported with this module and not with
`multilayer`.
"""

try:
    import httptools  # noqa: F401 - said here, once for all that follows
    import prometheus_client  # noqa: F401
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "`multilayer.serve` needs Starlette, uvicorn, httptools and prometheus_client, which are not all installed. "
        'Install them with `pip install "multilayer[serve]"`.'
    ) from error

# isort: split
from multilayer.serve.app import make_app
from multilayer.serve.limits import Limits
from multilayer.serve.server import listen, run, url_of

__all__ = ["Limits", "listen", "make_app", "run", "url_of"]
