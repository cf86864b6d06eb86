"""The reader of HDF5 files, held against the HDF5 library, and with files that no model has."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from helpers.paths import FILES
from multilayer._containers import hdf5


def tree(path):
    content = Path(path).read_bytes()
    return hdf5.tree(io.BytesIO(content), len(content))


def agrees(path):
    """Checks that the reader finds what h5py finds, to the last byte."""
    root = tree(path)
    count = 0

    def compare(place, one):
        nonlocal count
        count += 1
        if isinstance(one, h5py.Dataset):
            read, wanted = root.array(place).read(), one[()]
            assert read.dtype == np.asarray(wanted).dtype.newbyteorder("=")
            np.testing.assert_array_equal(read, wanted)
            return
        found = root.group(place)
        assert {*found.groups, *found.arrays} == set(one)
        for name, value in one.attrs.items():
            assert found.texts(name) == ([value] if isinstance(value, str) else list(value))

    with h5py.File(path) as file:
        file.visititems(compare)
        for name, value in file.attrs.items():
            assert root.text(name) == value
    return count


@pytest.mark.parametrize("name", [path.name for path in sorted(FILES.glob("*.h5"))])
def test_files_of_keras_are_read_as_the_library_reads_them(name):
    assert agrees(FILES / name) > 20


@pytest.mark.parametrize("libver", ["earliest", "latest", ("v108", "v108"), ("v110", "v110")])
def test_every_form_of_small_groups_is_read(tmp_path, libver):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["config"] = "x" * 70_000
        for number in range(5):
            group = file.create_group(f"layers/dense_{number}/vars")
            group.attrs["name"] = f"층 {number}"
            group.attrs["fixed"] = np.array([b"ab", b"c"])
            group["0"] = np.arange(6.0, dtype="float32").reshape(2, 3)
        for kind in ("f2", "f4", "f8", ">f8", "i1", "u2", ">i4", "i8"):
            file[f"kinds/{kind}"] = np.arange(3).astype(kind)
        file["scalar"] = np.int64(7)
        file["empty"] = np.zeros((0, 3))
    with h5py.File(path, "a") as file:
        for group in file["layers"].values():
            del group["vars"].attrs["fixed"]
    assert agrees(path) == 27


def test_a_group_of_thousands_is_read(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        for number in range(1000):
            file[f"optimizer/vars/{number}"] = np.float32(number)
    assert agrees(tmp_path / "file.h5") == 1002


def linked(file):
    file["a/0"] = np.zeros(3, "float32")
    file["b"] = h5py.SoftLink("/a/0")


def elsewhere(file):
    file.create_dataset("a", (3,), "float32", external=[("/etc/hostname", 0, 12)])


def virtual(file):
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource("/etc/hostname", "a", (3,))
    file.create_virtual_dataset("a", layout)


def circle(file):
    file["a/b"] = file.create_group("a")


def deep(file):
    file.create_group("/".join("a" * 200))


def committed(file):
    file["type"] = np.dtype("float32")
    file.create_dataset("a", (3,), dtype=file["type"])


def twice(file):
    file["a"] = np.zeros(2)
    file["b"] = file["a"]


HOSTILE = {
    "a soft link": (linked, "'b' in it is a link that leads elsewhere"),
    "an external link": (lambda f: f.update(a=h5py.ExternalLink("/etc/passwd", "/")), "'a' in it is a link that leads"),
    "external storage": (elsewhere, "'a' in it has its numbers in another file"),
    "a virtual dataset": (virtual, "'a' in it is kept in other files"),
    "a group that holds itself": (circle, "is also somewhere else in it"),
    "an array in two places": (twice, "'b' in it is also somewhere else in it"),
    "groups without an end": (deep, "60 deep"),
    "a shape of 2^50": (lambda f: f.create_dataset("a", (2**50,), "f4"), "in it has the shape|lies beyond"),
    "4 GiB in pieces": (lambda f: f.create_dataset("a", (2**30 - 1,), "f4", chunks=True), "in compressed pieces"),
    "compression": (lambda f: f.create_dataset("a", data=np.zeros(10**5), compression="gzip"), "in compressed pieces"),
    "complex numbers": (lambda f: f.update(a=np.zeros(3, complex)), "does not hold real numbers, but"),
    "objects": (lambda f: f.create_dataset("a", (1,), dtype=h5py.ref_dtype), "real numbers, but references"),
    "texts": (lambda f: f.create_dataset("a", data=["x"]), "real numbers, but lists"),
    "records": (lambda f: f.create_dataset("a", (2,), dtype=[("x", "f4")]), "real numbers, but records"),
    "bytes": (lambda f: f.create_dataset("a", (2,), dtype="V2"), "real numbers, but bytes"),
    "a type of its own": (committed, "neither a group nor an array|type somewhere else"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_keras_does_not_write_is_refused(tmp_path, kind):
    write, message = HOSTILE[kind]
    with h5py.File(tmp_path / "file.h5", "w") as file:
        write(file)
    with pytest.raises(ValueError, match=message):
        tree(tmp_path / "file.h5")


def test_arrays_do_not_share_their_bytes():
    """Else a file of two megabytes held the weights of a thousand layers."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("earliest", "v110")) as file:
        places = [file.create_dataset(name, data=np.ones(50, "f4")).id.get_offset() for name in "ab"]
        file.create_dataset("none", data=np.ones((0, 3), "f4"))
    layouts = [b"\x03\x01" + struct.pack("<QQ", place, 200) for place in places]
    content = memory.getvalue()
    assert content.count(layouts[1]) == 1
    assert hdf5.tree(io.BytesIO(content), len(content)).arrays.keys() == {"a", "b", "none"}
    for shift in (0, 196):
        moved = content.replace(layouts[1], b"\x03\x01" + struct.pack("<QQ", places[0] + shift, 200))
        with pytest.raises(ValueError, match="'a' in it and 'b' in it are said to lie over one another"):
            hdf5.tree(io.BytesIO(moved), len(moved))


def test_a_file_is_read_to_the_end_or_refused_whatever_bits_are_flipped():
    """Only ValueError; the HDF5 library itself ends the process at some of these."""
    content = (FILES / "adam.h5").read_bytes()
    draw = random.Random(1)
    refused = 0
    for _ in range(1500):
        broken = bytearray(content)
        for _ in range(draw.choice([1, 1, 2, 8])):
            place = draw.randrange(len(broken))
            broken[place] = draw.choice([broken[place] ^ 1 << draw.randrange(8), 0, 255, draw.randrange(256)])
        del broken[draw.choice([len(broken), len(broken), draw.randrange(len(broken))]) :]
        try:
            root = hdf5.tree(io.BytesIO(bytes(broken)), len(broken))
            for group in root.walk():
                group.texts("weight_names")
                for stored in group.arrays.values():
                    assert stored.read().nbytes == stored.nbytes <= len(broken)
        except ValueError:
            refused += 1
    assert 300 < refused < 1500
