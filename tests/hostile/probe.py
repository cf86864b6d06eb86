"""Loads hostile files in a process of their own, under a limit of memory, and says what each did.

`python -m hostile.probe FOLDER` reads the names of files from its standard input, a line each, and answers each with a
line of JSON. FOLDER is for files of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

MOST_MEMORY = 64 * 2**20
WATCHED = (
    *("open", "import", "exec", "compile", "marshal.", "pickle.", "socket.", "subprocess.", "ctypes.", "urllib."),
    *("os.", "shutil.", "tempfile.", "mmap.", "code.", "sys.addaudithook", "http.", "ftplib."),
)


class Watch:
    """Takes note of what the interpreter is asked to do, while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.file = ""
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or not event.startswith(WATCHED):
            return
        if event == "open" and str(arguments[0]) == self.file and arguments[1] in ("r", "rb"):
            return  # the file itself, to read
        self.seen.append(f"{event} {str(arguments)[:200]}")


def memory_limit() -> Any:
    """Lets this process take 64 MiB more of address space than it has; returns what takes the limit away again."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, before[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_AS, before)


def peak() -> int:
    """The most memory, in bytes, that was in use since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def probe(watch: Watch, path: Path) -> dict[str, Any]:
    """Loads a file and says what came of it."""
    import multilayer as ml
    from hostile.whole import loading

    load = loading(path)
    linux = sys.platform == "linux"
    if linux:
        forget_peak()
        before = peak()
        unlimited = memory_limit()
    watch.seen, watch.file = [], str(path)
    start = time.process_time()
    message = ""
    watch.on = True
    try:
        load()
        outcome = "loaded"
    except ml.saving.ModelFileError as error:
        outcome, message = "refused", str(error)
    except BaseException as error:
        outcome, message = type(error).__name__, str(error)
    watch.on = False
    seconds = time.process_time() - start
    if linux:
        unlimited()
    return {
        "path": str(path),
        "outcome": outcome,
        "message": message,
        "seconds": seconds,
        "memory": peak() - before if linux else 0,
        "events": list(watch.seen),
    }


def main() -> None:
    """Reads honest files first, so that all that is imported when a file is opened has been."""
    from hostile.whole import loading, write_all

    warnings.simplefilter("ignore")
    for path in write_all(Path(sys.argv[1])).values():
        loading(path)()
    os.environ.pop("PYTHONWARNINGS", None)
    watch = Watch()
    for line in sys.stdin:
        print(json.dumps(probe(watch, Path(line.rstrip("\n")))), flush=True)


if __name__ == "__main__":
    main()
