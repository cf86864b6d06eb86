"""What computes here, and advice where it is ill set up."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from multilayer import utils
from multilayer._core import kernels
from multilayer._core.kernels.threads import CHOICES
from multilayer._system import machine
from multilayer._system.machine import Blas, Machine

SOUND = Machine(
    "a CPU", ("avx2", "fma", "avx512f"), 4, "native (avx512)", (Blas("openblas", "0.3", "SkylakeX", 4),), {}
)


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    for variable in (*CHOICES, "OPENBLAS_CORETYPE", "MULTILAYER_KERNELS"):
        monkeypatch.delenv(variable, raising=False)


def with_blas(**changes):
    return dataclasses.replace(SOUND, blas=(dataclasses.replace(SOUND.blas[0], **changes),))


def test_this_machine_is_described():
    here = machine.describe()
    assert here.cpu
    assert here.cores >= 1
    assert here.kernels == kernels.describe()
    assert {"python", "numpy", "multilayer"} <= here.versions.keys()
    assert all(library.threads >= 1 for library in here.blas)


def test_where_all_is_well_there_is_nothing_to_say():
    assert machine.advice(SOUND) == []


def test_an_older_kernel_than_the_processors_is_told_with_what_pins_it(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    (sentence,) = machine.advice(with_blas(kernel="Haswell"))
    assert sentence.startswith("OpenBLAS runs its Haswell kernel, though this processor has AVX-512")
    assert "`unset OPENBLAS_CORETYPE`" in sentence


def test_an_older_kernel_that_nobody_pinned_asks_for_an_update():
    (sentence,) = machine.advice(with_blas(kernel="Prescott"))
    assert sentence.endswith("Update NumPy.")


@pytest.mark.parametrize(("extensions", "kernel"), [(("avx2", "fma"), "Haswell"), ((), "Generic"), ((), "neoversen1")])
def test_a_kernel_that_fits_the_processor_is_fine(extensions, kernel):
    assert machine.advice(dataclasses.replace(with_blas(kernel=kernel), extensions=extensions)) == []


def test_more_threads_than_cores_are_told_with_what_asks_for_them(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    (sentence,) = machine.advice(with_blas(threads=16))
    assert "openblas uses 16 threads where this process may use 4 cores" in sentence
    assert "OMP_NUM_THREADS=16 asks for them" in sentence
    assert "`export OMP_NUM_THREADS=4`" in sentence


def test_missing_native_kernels_are_told_unless_asked_for(monkeypatch):
    plain = dataclasses.replace(SOUND, kernels="numpy")
    assert "Install a C compiler" in machine.advice(plain)[0]
    monkeypatch.setenv("MULTILAYER_KERNELS", "numpy")
    assert machine.advice(plain) == []


def test_users_find_it_among_the_utilities():
    assert utils.advice() == machine.advice()


def test_the_memory_of_a_process_is_its_own_and_not_that_of_who_started_it():
    most = machine.peak_memory()
    if most is None:
        pytest.skip("This system does not say how much memory a process has had.")
    large = np.ones(25_000_000)
    assert machine.peak_memory() >= large.nbytes
    if sys.platform == "linux":
        say = "from multilayer._system.machine import peak_memory; print(peak_memory())"
        done = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True, timeout=60)
        assert int(done.stdout) < large.nbytes
