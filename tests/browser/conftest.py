"""A browser, pages in it that are watched, and strokes of digits."""

import functools
import http.server
import json
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from helpers.paths import CHECKOUT

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="package")  # its event loop would be in the way of others' tests
def browser():
    """Chromium, without a window; MULTILAYER_BROWSER names another than the one that is installed."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install 'multilayer[browser]'")
    path = os.environ.get("MULTILAYER_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("No Chromium is installed; on Debian, `apt-get install chromium` brings it.")
    with api.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )  # which is no one's in a container
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """`visit(url, **options)` gives a page, with the options of a browser's context.

    When the test is over it fails if anything was wrong: an error on the console, or a request that left the place that
    the page came from.
    """
    contexts, wrong = [], []

    def visit(url, **options):
        usual = {"viewport": {"width": 1366, "height": 900}, "locale": "en-US", "reduced_motion": "reduce"}
        context = browser.new_context(**{**usual, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: _is_elsewhere(request.url, url) and wrong.append(f"asked for {request.url}"))
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


def _is_elsewhere(asked, url):
    asked, home = urlsplit(asked), urlsplit(url)
    if asked.scheme in ("data", "blob"):
        return False
    return (asked.scheme, asked.netloc) != (home.scheme, home.netloc) or (
        home.scheme == "file" and asked.path != home.path
    )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site():
    """The address of the built site, as from the server that it will lie on; where it is not built there is no test."""
    folder = CHECKOUT / "build" / "site"
    if not (folder / "searchindex.js").exists():
        pytest.skip("The site is not built: python docs/build.py")
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def recorded():
    """Strokes of digits: a list of {digit, from, held_out, strokes}, each stroke a line of points in [0, 1] x [0, 1].

    Those that are `held_out` were not looked at while the page's preparation was written.
    """
    return json.loads(Path(__file__).with_name("strokes.json").read_text(encoding="utf-8"))
