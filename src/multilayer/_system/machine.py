"""What speed depends on: processor, BLAS library, kernels, threads, versions; and advice on what slows them down."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from multilayer._core import kernels
from multilayer._core.kernels import products
from multilayer._core.kernels.threads import CHOICES, cores
from multilayer._language import tr
from multilayer._version import __version__

DEPENDENCIES = ("numpy", "matplotlib", "pillow", "pooch", "rich", "threadpoolctl", "typer")

# OpenBLAS' names of kernels that use less than AVX-512, and of those that use less than AVX2.
_BELOW_AVX512 = frozenset({"haswell", "zen"})
_BELOW_AVX2 = frozenset(
    """
    prescott katmai coppermine northwood banias core2 penryn dunnington nehalem sandybridge atom athlon opteron
    opteron_sse3 barcelona bobcat bulldozer piledriver steamroller nano generic
    """.split()  # noqa: SIM905 - a list of this length would fill the screen
)


@dataclasses.dataclass(frozen=True)
class Blas:
    """A library of matrix products that is loaded."""

    name: str
    version: str
    kernel: str
    threads: int

    def __str__(self) -> str:
        return f"{self.name} {self.version}, kernel {self.kernel}, {self.threads} thread{'s' * (self.threads != 1)}"


@dataclasses.dataclass(frozen=True)
class Machine:
    """What computes here."""

    cpu: str
    extensions: tuple[str, ...]
    cores: int
    kernels: str
    blas: tuple[Blas, ...]
    versions: dict[str, str]
    products: str = ""


def describe() -> Machine:
    """Looks at this machine and this process.

    Example:
        >>> describe().cores >= 1
        True
    """
    return Machine(
        cpu(), extensions(), cores(), kernels.describe(), tuple(blas()), own_versions(), str(products.choice())
    )


def advice(machine: Machine | None = None) -> list[str]:
    """What slows this machine down and how to mend it, in whole sentences; nothing where all is well.

    Told are: an OpenBLAS that runs an older kernel than the processor has, as with a pinned OPENBLAS_CORETYPE; more
    threads than cores; native kernels that were not built.

    Args:
        machine: What `describe` returned; by default what it returns now.

    Example:
        >>> slow = Blas("openblas", "0.3.30", "Haswell", 2)
        >>> for sentence in advice(Machine("a CPU", ("avx2", "avx512f"), 2, "native (avx512)", (slow,), {})):
        ...     print(sentence)
        OpenBLAS runs its Haswell kernel, though this processor has AVX-512: ...
    """
    machine = describe() if machine is None else machine
    sentences = [sentence for library in machine.blas for sentence in _about(library, machine)]
    if machine.kernels == "numpy" and os.environ.get("MULTILAYER_KERNELS") != "numpy":
        sentences.append(
            tr(
                "The native kernels were not built, so NumPy computes what they would: training a small "
                "network takes about twice as long. Install a C compiler, then install multilayer again."
            )
        )
    return sentences


def _about(library: Blas, machine: Machine) -> list[str]:
    sentences = []
    better = "AVX-512" if "avx512f" in machine.extensions else "AVX2" if "avx2" in machine.extensions else None
    older = _BELOW_AVX2 | (_BELOW_AVX512 if better == "AVX-512" else frozenset())
    if library.name == "openblas" and better is not None and library.kernel.lower() in older:
        pinned = os.environ.get("OPENBLAS_CORETYPE")
        mend = (
            tr("OPENBLAS_CORETYPE={pinned} asks for it: `unset OPENBLAS_CORETYPE`.", pinned=pinned)
            if pinned
            else tr("Update NumPy.")
        )
        sentences.append(
            tr(
                "OpenBLAS runs its {kernel} kernel, though this processor has {better}: matrix products can "
                "take twice as long. {mend}",
                kernel=library.kernel,
                better=better,
                mend=mend,
            )
        )
    if library.threads > machine.cores:
        chosen = [name for name in CHOICES if os.environ.get(name)]
        setting = (
            tr("{chosen}={environ} asks for them. ", chosen=chosen[0], environ=os.environ[chosen[0]]) if chosen else ""
        )
        sentences.append(
            tr(
                "{name} uses {threads} threads where this process may use {cores} cores: they wait for each "
                "other. {setting}`export {chosen}={cores}`.",
                name=library.name,
                threads=library.threads,
                cores=machine.cores,
                setting=setting,
                chosen=chosen[0] if chosen else "OMP_NUM_THREADS",
            )
        )
    return sentences


def cpu() -> str:
    """The processor's name, as the operating system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1]
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def memory() -> int | None:
    """The bytes of memory that the machine has, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # such as on Windows
        return None


def allowed_memory() -> int | None:
    """The bytes of memory that this process may have: those of the machine, or of the container that it is in."""
    limits = [] if (whole := memory()) is None else [whole]
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # "max" is no number: there is no limit
            limits.append(int(Path(name).read_text()))
    return min(limits, default=None)


def peak_memory() -> int | None:
    """The most bytes of memory that this process has had so far, or None where the system does not say."""
    status = Path("/proc/self/status")  # Linux: what `getrusage` says begins with what the caller of a program had
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE) if status.exists() else None
    if found is not None:
        return 1024 * int(found[1])
    try:
        import resource
    except ImportError:  # on Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def extensions() -> tuple[str, ...]:
    """The processor's vector instructions, as far as the operating system tells: avx2, avx512f, …."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    known = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl")
    return tuple(name for name in known if flags is not None and name in flags[1].split())


def blas() -> list[Blas]:
    """The BLAS libraries that are loaded; none where threadpoolctl is not installed or knows none of them."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    return [
        Blas(found["internal_api"], found["version"] or "?", found.get("architecture", "?"), found["num_threads"])
        for found in threadpool_info()
        if found["user_api"] == "blas"
    ]


def versions(*distributions: str) -> dict[str, str]:
    """Python's version, and that of each distribution that is installed."""
    found = {"python": platform.python_version()}
    for name in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def own_versions() -> dict[str, str]:
    """Versions of this library, of Python, and of what the library depends on."""
    return {"multilayer": __version__} | versions(*DEPENDENCIES)
