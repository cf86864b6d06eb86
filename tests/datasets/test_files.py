"""Where data sets are looked for, in what forms they are read, and what is said of broken ones."""

import contextlib
import dataclasses
import gzip
import io
import struct
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.processes import printed_by
from multilayer import datasets
from multilayer.datasets import DatasetCorruptError, DatasetUnavailableError, fashion_mnist, files, mnist

IMAGES = "train-images-idx3-ubyte"


def load(tiny):
    return files.load(tiny.description(), "tiny.npz")


@pytest.fixture(params=["raw", "packed", "archive"])
def write(request):
    """Writes a data set into a folder in each of the forms that are read."""

    def write(data, folder):
        if request.param == "archive":
            data.write_archive(folder / "tiny.npz")
        else:
            getattr(data, f"write_{request.param}")(folder)

    return write


@pytest.mark.parametrize("place", ["chosen", "cache", "keras"])
def test_every_form_is_read_in_every_place(tiny, places, write, place):
    write(tiny, getattr(places, place))
    tiny.check(load(tiny))


@pytest.mark.parametrize(
    "path",
    [
        "{dotted}",
        "{dotted}.gz",
        "{name}/{name}",
        "{name}/{dotted}",
        "{dotted}/{dotted}",
        "raw/{name}",
        "raw/{name}.gz",
    ],
)
def test_the_names_that_others_give_the_files(tiny, places, path):
    for name, content in tiny.contents.items():
        file = places.chosen / path.format(name=name, dotted=name.replace("-idx", ".idx"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content) if path.endswith(".gz") else content)
    tiny.check(load(tiny))


def test_the_folder_that_torchvision_makes(tiny, places):
    tiny.write_raw(places.chosen.parent / "TINY" / "raw")
    tiny.check(files.load(dataclasses.replace(tiny.description(), torch_folder="TINY"), "tiny.npz"))
    assert mnist._MNIST.torch_folder == "MNIST"
    assert fashion_mnist._FASHION_MNIST.torch_folder == "FashionMNIST"


@pytest.mark.parametrize(("first", "second"), [("chosen", "cache"), ("cache", "keras")])
def test_the_first_place_wins(tiny, other, places, write, first, second):
    write(other, getattr(places, second))
    write(tiny, getattr(places, first))
    tiny.check(load(tiny))


def test_a_place_with_only_some_of_the_files_is_passed_over(tiny, other, places):
    other.write_raw(places.chosen)
    (places.chosen / IMAGES).unlink()
    tiny.write_packed(places.cache)
    tiny.check(load(tiny))


def test_without_variables_the_places_are_below_the_users_home(tiny, other, places, monkeypatch, tmp_path):
    for variable in ("MULTILAYER_DATASETS", "MULTILAYER_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable)
    home = tmp_path / "home"
    tiny.write_raw(home / ".keras" / "datasets" / "keras-tiny")
    tiny.check(load(tiny))
    other.write_raw(home / ".multilayer" / "datasets" / "tiny")
    other.check(load(tiny))


def test_an_absolute_path_is_looked_at_first(tiny, other, places, tmp_path):
    other.write_raw(places.chosen)
    tiny.write_archive(tmp_path / "mine.npz")
    tiny.check(files.load(tiny.description(), str(tmp_path / "mine.npz")))


def test_the_arrays_are_ones_own(tiny, places, write):
    write(tiny, places.chosen)
    for images, labels in load(tiny):
        images += 1
        labels += 1


def test_a_data_set_that_is_nowhere_says_where_it_was_looked_for_and_what_to_do(tiny, places):
    tiny.write_raw(places.keras)
    (places.keras / IMAGES).unlink()
    with pytest.raises(DatasetUnavailableError) as caught:
        load(tiny)
    message = str(caught.value)
    assert (
        "tiny is not on this machine and cannot be downloaded: no mirror offers train-images-idx3-ubyte.gz" in message
    )
    assert f"{places.chosen} (0 of its 4 files)" in message
    assert f"{places.cache} (0 of its 4 files)" in message
    assert f"{places.keras} (3 of its 4 files)" in message
    for hint in (IMAGES, "tiny.npz", "MULTILAYER_DATASETS", "HTTPS_PROXY", "datasets.synthetic_digits"):
        assert hint in message


@pytest.mark.parametrize("load_data", [mnist.load_data, fashion_mnist.load_data])
def test_pooch_is_named_where_it_is_missing(load_data, places, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DatasetUnavailableError, match="downloading needs pooch.*`pip install pooch"):
        load_data()


def test_local_files_are_read_with_numpy_alone(tiny, places):
    tiny.write_raw(places.chosen.with_name("mnist"))
    program = (
        "import sys; from multilayer.datasets import mnist\n"
        "try: mnist.load_data()\n"
        "except ValueError as error: print(error)\n"
        "print(sorted({'pooch', 'requests', 'rich'} & set(sys.modules)))"
    )
    printed = printed_by(program)
    assert "expected uint8 of shape (60000, 28, 28), found uint8 of shape (6, 2, 3)" in printed
    assert printed.endswith("[]\n")


def damages(content):
    """Ways in which an unpacked file can be broken, with what is said of each."""
    return {
        "empty": (b"", "begins with 00 00 and a type"),
        "a web page": (b"<!DOCTYPE html>", "begins with 00 00 and a type 08 to 0e, found '3c 21 44 4f'"),
        "truncated": (content[:-1], r"expected 52 bytes for uint8 of shape \(6, 2, 3\), found 51"),
        "trailing bytes": (content + b"\0", "expected at most 52 bytes, found more"),
        "other dimensions": (
            content[:8] + content[12:16] + content[8:12] + content[16:],
            r"expected uint8 of shape \(6, 2, 3\), found uint8 of shape \(6, 3, 2\)",
        ),
        "other type": (
            content[:2] + b"\x09" + content[3:],
            r"expected uint8 of shape \(6, 2, 3\), found int8 of shape \(6, 2, 3\)",
        ),
    }


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "gzip"])
@pytest.mark.parametrize("damage", damages(b""))
def test_a_broken_file_is_named_with_what_was_expected_and_found(tiny, places, damage, packed):
    data, message = damages(tiny.contents[IMAGES])[damage]
    tiny.write_packed(places.chosen)
    path = places.chosen / f"{IMAGES}.gz"
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(DatasetCorruptError, match=f"{path.name} is damaged: .*{message}.* Delete it and run again"):
        load(tiny)


def test_a_broken_gzip_stream_is_told(tiny, places):
    tiny.write_packed(places.chosen)
    path = places.chosen / f"{IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DatasetCorruptError, match=f"{path.name} is damaged: expected a whole gzip stream"):
        load(tiny)


def archive(path, **arrays):
    path.parent.mkdir(parents=True)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((6, 3, 2), np.uint8)}, r"found uint8 of shape \(6, 3, 2\)"),
        ({"x_train": np.zeros((6, 2, 3), np.float32)}, r"found float32 of shape \(6, 2, 3\)"),
        ({"x_train": np.zeros(100_000, np.uint8)}, "expected at most 1,076 bytes of x_train, found 100,128"),
        ({"x_train": np.full((6, 2, 3), None)}, "allow_pickle=False"),
    ],
    ids=["other dimensions", "other type", "too large", "a pickle"],
)
def test_an_archive_with_other_arrays_is_refused(tiny, places, change, message):
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), tiny.arrays, strict=True))
    archive(places.chosen / "tiny.npz", **(arrays | change))
    with pytest.raises(DatasetCorruptError, match=f"tiny.npz is damaged: expected an archive of x_train.*{message}"):
        load(tiny)


def test_an_archive_without_an_array_is_refused(tiny, places):
    archive(places.chosen / "tiny.npz", x_train=tiny.arrays[0])
    with pytest.raises(DatasetCorruptError, match="no item named 'y_train.npy'"):
        load(tiny)


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_raises_our_error_or_none(tiny, places, data):
    path = places.chosen / "tiny.npz"
    tiny.write_archive(path)
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content)))
    removed = data.draw(st.integers(0, 4))
    path.write_bytes(content[:place] + data.draw(st.binary(max_size=4)) + content[place + removed :])
    with contextlib.suppress(DatasetCorruptError):
        load(tiny)


def npy_that_claims(*shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return header.getvalue()


HEADERS = [
    *(
        "garbage",
        "{1: 2}",
        "(" * 9000,
        "{",
        "",
        "{'descr': 'xx', 'fortran_order': False, 'shape': (3,)}",
        "__import__('os')",
    ),
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-3,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (6.0, 2, 3)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': 5}",
    "{'descr': ['x'], 'fortran_order': False, 'shape': (6, 2, 3)}",
    "{'descr': 5, 'fortran_order': 'x', 'shape': None}",
    "{['x']: 1}",
    "9" * 5000,
]


def npy_with(header):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(36)


@pytest.mark.parametrize(
    "member",
    [
        *(b"", b"no array", npy_that_claims(6, 2, 3), npy_that_claims(10**15)),
        *(npy_with(header) for header in HEADERS),
    ],
    ids=["empty", "noise", "cut", "huge", *HEADERS],
)
def test_an_archive_whose_members_are_no_whole_arrays_is_refused(tiny, places, member):
    places.chosen.mkdir(parents=True)
    with zipfile.ZipFile(places.chosen / "tiny.npz", "w") as broken:
        broken.writestr("x_train.npy", member)
    with pytest.raises(DatasetCorruptError, match="tiny.npz is damaged"):
        load(tiny)


def test_the_package_names_its_data_sets():
    assert {"fashion_mnist", "mnist", "synthetic_digits"} < set(dir(datasets))
    assert datasets.mnist is mnist
    with pytest.raises(AttributeError, match="no attribute 'imagenet'"):
        datasets.imagenet  # noqa: B018
