"""Calls the command line in some 800 odd ways, and looks at what each came to.

python reliability/commands.py [--only WORD] [--seed S] [--verbose]

Odd are numbers, names, paths, model files, pictures, run folders, files of options, data sets, environments, streams
and disks (see `odd_commands.py`). Each command runs in a folder of its own, without root's rights, beside a user's
files, and is held to this: no traceback, no signal, an exit code of those that `--help` names; where it fails, one
error on stderr, which a person can read; where it succeeds, none; no control character; an end within 10 seconds of the
processor's time; the user's files as they were, and no new ones but in the folder that was asked for, none of them half
written.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib
import os
import resource
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

import multilayer as ml
from multilayer.cli import main as command
from odd_commands import TRAIN, Case, cases

NOBODY = 65534
SECONDS = 10  # of the processor
PATIENCE = 120  # seconds until what still runs is killed, on a machine that others use as well
# Before processes are forked, so that each need not import it anew.
IMPORTED = ("multilayer.cli.commands", "matplotlib.pyplot", "typer.rich_utils", "rich.table", "difflib", "email.parser")


def make_base(folder: Path) -> None:
    """Makes a user's folder: with a run, a picture, and a file."""
    for name in IMPORTED:
        importlib.import_module(name)
    answer = run(Case("", [*TRAIN, "--output", "run", "--epochs", "1"]), folder)
    assert answer.code == 0, answer.stderr
    Image.fromarray(ml.datasets.synthetic_digits.load_data(6)[0][0][0]).save(folder / "picture.png")
    (folder / "mine.txt").write_text("mine")


class Answer(NamedTuple):
    code: int
    stdout: str
    stderr: str
    seconds: float


def variables(folder: Path) -> dict[str, str]:
    """Nothing of the user's own, and no way to the network."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder / "tmp"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(folder / "tmp"),
        "MULTILAYER_DATASETS": "",
        **proxies,
    }


def run(case: Case, folder: Path) -> Answer:
    """Runs a command; the files beside the folder take what it prints."""
    printed = [folder.with_name(f"{folder.name}.{stream}") for stream in (1, 2)]
    for path in printed:
        path.touch()
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    if os.getuid() == 0:
        for path in (folder, *_inside(folder)):
            with suppress(OSError):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    begun = time.perf_counter()
    child = os.fork()
    if not child:
        _be(case, folder, printed)
    while not (ended := os.wait4(child, os.WNOHANG))[0]:
        time.sleep(0.005)
        if time.perf_counter() - begun > PATIENCE:
            os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(ended[1])
    texts = [path.read_bytes().decode(errors="replace") for path in printed]
    return Answer(code, *texts, ended[2].ru_utime + ended[2].ru_stime)


def _be(case: Case, folder: Path, printed: list[Path]) -> None:
    """In the forked process: becomes the command."""
    code, complaints = 99, os.fdopen(os.dup(2), "w", buffering=1)
    try:
        os.chdir(folder)
        usual = variables(folder)
        os.environ.clear()
        os.environ.update(usual)
        for stream in (0, 1, 2):
            _open(stream, case.streams.get(stream, ""), Path(os.devnull) if stream == 0 else printed[stream - 1])
        for name, size in case.limits.items():
            resource.setrlimit(getattr(resource, name), (size, size))
        if os.getuid() == 0:
            _drop_rights()
        if case.environment is not None:
            for name, value in case.environment.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
            os.execv(sys.executable, [sys.executable, "-m", "multilayer", *case.arguments])
        sys.argv = ["multilayer", *case.arguments]
        for stream, name in enumerate(("stdin", "stdout", "stderr")):
            closed = case.streams.get(stream) == "closed"
            setattr(sys, name, None if closed else os.fdopen(stream, "w" if stream else "r", encoding="utf-8"))
        code = _main()
    except BaseException:  # of this program, not of the command
        traceback.print_exc(file=complaints)
    finally:
        os._exit(code)


def _drop_rights() -> None:
    """Becomes nobody, who may write nowhere else; only to read is still allowed, as root's Python may lie in /root."""
    library, read = ctypes.CDLL(None), 2  # CAP_DAC_READ_SEARCH
    library.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    rights = struct.pack("<6I", *[1 << read] * 3, 0, 0, 0)
    library.capset(struct.pack("<Ii", 0x20080522, 0), rights)
    library.prctl(47, 2, read, 0, 0)  # PR_CAP_AMBIENT_RAISE: after `exec`, too


def _main() -> int:
    """Runs the command as Python would, and ends as it does."""
    try:
        command()
        code: Any = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    return (code or 0) | _flushed(sys.stdout) | _flushed(sys.stderr)


def _flushed(stream: Any) -> int:
    """Flushes a stream, as Python does when it ends; returns the exit code that comes of it."""
    try:
        stream.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except (OSError, ValueError):
        return 120
    return 0


def _open(stream: int, what: str, path: Path) -> None:
    os.close(stream)
    if what == "broken":
        reader, writer = os.pipe()
        if writer != stream:
            os.dup2(writer, stream)
            os.close(writer)
        os.close(reader) if reader != stream else None
    elif what != "closed":
        opened = os.open("/dev/full" if what == "full" else path, os.O_RDWR)
        if opened != stream:
            os.dup2(opened, stream)
            os.close(opened)
        os.set_inheritable(stream, True)


def _inside(folder: Path) -> Iterator[Path]:
    """All that is in a folder, but not further than a hundred levels deep."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place) / name for name in (*folders, *files))
        if place.count(os.sep) > 100:
            folders.clear()


def seen(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Every file of a folder: its kind and mode, and what is in it."""
    found = {}
    for path in _inside(folder):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
        found[str(path.relative_to(folder))] = (status.st_mode, content)
    return found


def faults(case: Case, answer: Answer, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What a command has done that it should not."""
    both = answer.stdout + answer.stderr
    if answer.code not in (0, 1, 2, 130, 143):
        yield f"exit code {answer.code}"
    if "Traceback" in both:
        yield "a traceback"
    shown = answer.stderr if "--csv" in case.arguments else both  # names of files are as they are in what programs read
    if any(not (c.isprintable() or c == "\n") for c in shown):
        yield "control characters"
    errors = sum(line.startswith(("Error:", "╭─ Error")) for line in answer.stderr.splitlines())
    if 2 in case.streams or case.limits.get("RLIMIT_FSIZE", 3000) < 3000:  # nobody can read what it says
        pass
    elif answer.code and not (errors == 1 or (case.streams.get(1) == "broken" and answer.code == 1)):
        yield f"{errors} errors on stderr"
    elif not answer.code and errors:
        yield "an error, and exit code 0"
    if answer.seconds > SECONDS:
        yield f"{answer.seconds:.0f} s"
    if len(answer.stderr) > 20_000:
        yield f"{len(answer.stderr)} letters on stderr"
    changed = {name for name in before if after.get(name) != before[name]}
    resumed = case.arguments[:2] == ["train", "--resume"]
    pictures = {"run/accuracy.png", "run/loss.png"} if case.arguments[:1] == ["plot"] else set()
    if lost := {name for name in changed if not (resumed and name.startswith("run/")) and name not in pictures}:
        yield f"changed: {sorted(lost)}"
    new = set(after) - set(before)
    if half := {name for name in new if name.endswith(".part")}:
        yield f"half written: {sorted(half)}"
    asked = {"out", "small", "runs", "tmp"} | ({"run"} if resumed else set())
    if case.arguments[0] in ("train", "compare") and "--output" in case.arguments:
        last = case.arguments[len(case.arguments) - 1 - case.arguments[::-1].index("--output") + 1]
        asked |= {last.split("/")[0]} | (new if last in (".", "") else set())
    if strange := {name for name in new if name.split("/")[0] not in asked}:
        yield f"written: {sorted(strange)}"


def main() -> int:
    """Prints a line for each kind, and each fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only the kinds that have this word in their name")
    parser.add_argument("--seed", type=int, default=0, help="of what is damaged at random")
    parser.add_argument("--verbose", action="store_true", help="print what each command says")
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "base").mkdir()
        make_base(root / "base")
        for number, case in enumerate(cases(options.seed, root / "base" / "run")):
            if options.only not in case.kind:
                continue
            folder = root / str(number)
            shutil.copytree(root / "base", folder, symlinks=True)
            case.before(folder)
            before = seen(folder)
            answer = run(case, folder)
            found = list(faults(case, answer, before, seen(folder)))
            count = counts.setdefault(case.kind, Counter())
            count.update(commands=1, failed=bool(answer.code), faulty=bool(found))
            count["slowest"] = max(count["slowest"], round(answer.seconds * 1000))
            if found or options.verbose:
                print(f"{number} {[word[:60] for word in case.arguments]} {str(case[3:])[:200]}: {answer.code} {found}")
                print(f"{answer.stdout[-500:]}{answer.stderr[-1500:]}".encode("ascii", "backslashreplace").decode())
            if (folder / "small").is_dir():
                subprocess.run(["umount", folder / "small"], capture_output=True)
            subprocess.run(["rm", "-rf", folder], check=True)  # deeper than Python's own recursion goes
    print(f"{'odd are':<16} {'commands':>8} {'succeeded':>9} {'refused':>8} {'slowest':>9} {'faults':>7}")
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
        total["slowest"] = max(one["slowest"] for one in counts.values())
    for kind, count in (*counts.items(), ("all", total)):
        succeeded = count["commands"] - count["failed"]
        print(
            f"{kind:<16} {count['commands']:8} {succeeded:9} {count['failed']:8} {count['slowest'] / 1000:7.1f} s "
            f"{count['faulty'] or 'none':>7}"
        )
    return 1 if total["faulty"] else 0


if __name__ == "__main__":
    sys.exit(main())
