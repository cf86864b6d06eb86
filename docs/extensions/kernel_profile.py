"""What lessons run in: a Python, and a profile of IPython's with pictures at a fixed size and the data of each."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

_CONFIG = """\
import sys

sys.path.insert(0, {folder!r})
c = get_config()  # noqa: F821
c.InteractiveShellApp.extensions = ["lesson_kernel"]
c.InlineBackend.print_figure_kwargs = {{"dpi": 144, "bbox_inches": "tight"}}
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"  # it would warn in every lesson that it listens on a port of this machine
"""


def use(python: str | None = None) -> None:
    """Has kernels that this process starts read a profile of ours, and none of the user's.

    Several run at once, so that each computes on one core, where the user does not say otherwise. Given another Python,
    they run in its environment, which need not hold more than the library and ipykernel: what a reader has.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["MULTILAYER_LANG"] = "en"  # what lessons print is recorded, whatever language this machine speaks
    folder = Path(tempfile.mkdtemp(prefix="multilayer-docs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    profile = folder / "profile_default"
    profile.mkdir()
    config = _CONFIG.format(folder=str(Path(__file__).parent))
    (profile / "ipython_kernel_config.py").write_text(config, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(folder)
    if python:
        kernel = folder / "kernels" / "python3"
        kernel.mkdir(parents=True)
        spec = {
            "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
            "env": {"PYTHONPATH": ""},  # no modules but the environment's own
        }
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = str(folder)
