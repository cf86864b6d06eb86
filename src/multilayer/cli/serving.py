"""What `multilayer serve` does: a network behind a URL, and a page in front of it."""

from __future__ import annotations

import ipaddress
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import multilayer as ml
from multilayer._language import tr
from multilayer.cli import run_folder, table_use
from multilayer.cli.common_options import AsJson
from multilayer.cli.terminal import failing_on, note, say, say_json


def serve(
    model_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="A run's folder, its model.npz, or a model file of Keras; a network for tables as well.",
            show_default="a network that is trained on the page",
        ),
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 for any that is free.")] = 8000,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 lets other machines ask, too.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that it is reached by, such as a proxy's; may be repeated."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Whether to open the page.")] = True,
    as_json: AsJson = False,
) -> None:
    """Open a page that thinks, and answer `POST /predict`, until Ctrl-C.

    On the page one draws digits and sees what the network makes of them; of a network for tables, one fills in a row.
    `/openapi.json` says what programs can ask.
    """
    with failing_on(OSError, ValueError, ImportError):
        from multilayer import serve as serving

        app = serving.make_app(**_served(model_file), hosts=allow_host or ())
        listening = serving.listen(host, port)
    if not _is_own(listening.getsockname()[0]):
        note(tr("Whoever reaches this machine can ask. docs/serving.md says how to put a proxy in front of it."))
    url = serving.url_of(listening)

    def begun() -> None:
        if as_json:
            say_json({"url": url, "model": None if model_file is None else str(model_file)})
        else:
            say(tr("{name}: {url}  (Ctrl-C ends it)", name=model_file or "A network to train", url=url))
        if browser:  # not to be waited for: some are programs in the terminal
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    serving.run(app, listening, begun=begun)


def _served(path: Path | None) -> dict[str, Any]:
    """What a service has to know of the model at a path."""
    if path is None:
        return {"model": None}
    of_table = table_use.model_in(path)
    if of_table is not None:
        return {"model": of_table.estimator, "target": of_table.target}
    file = run_folder.model_in(path)
    labels = _labels_beside(file)
    return {"model": ml.models.load_model(file), "labels": labels, "as_digits": labels is None}


def _labels_beside(file: Path) -> Sequence[str] | None:
    """What the classes are called of what a network was trained on; None for digits, and where nobody knows."""
    trained_on = run_folder.read_trained_on(file.parent)
    return _CLOTHES if trained_on is not None and trained_on[0] == "fashion_mnist" else None


# In the order of the labels of fashion_mnist.
_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def _is_own(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
