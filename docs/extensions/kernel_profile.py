"""The IPython profile that lessons run in: pictures at a fixed size, and beside each the data that it shows."""

from __future__ import annotations

import atexit
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


def use() -> None:
    """Has kernels that this process starts read a profile of ours, and none of the user's.

    Several run at once, so that each computes on one core, where the user does not say otherwise.
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
