"""What a file is that is no model file: said where it was to be read as one, with what can be done about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from multilayer._containers.errors import ModelFileError, refusing
from multilayer._containers.names import PICKLES
from multilayer._containers.zips import members

_BEGINNING = 512  # bytes that are looked at
_OWN_MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
_MODELS = (".keras", ".h5", ".hdf5", ".npz", ".safetensors")
_AGAIN = "Load the model where it was made, and save it there anew: `model.save('model.keras')`."
_OF_PYTORCH = (
    "it is a pickle, as PyTorch, scikit-learn and joblib write them, which can run anything when it is read: none is "
    "here. Where PyTorch made it, write `safetensors.torch.save_file(module.state_dict(), 'module.safetensors')` in a "
    "program that has both, and read that file with `saving.load_pytorch(model, 'module.safetensors')`."
)
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip", b"\x28\xb5\x2f\xfd": "zstd"}
_BEGINS: dict[bytes, str] = {
    b"version https://git-lfs": "it is a pointer of Git LFS, and not the file that it stands for: run `git lfs pull`, "
    "or download the file itself.",
    b"\x93NUMPY": "it is a single NumPy array, of `numpy.save`: read it with `numpy.load`, and set it by "
    "`layer.set_weights`.",
    b"GGUF": "it is a GGUF file, of language models: no network of this kind is built here.",
    **{mark: f"it is packed by {name}: unpack it first." for mark, name in _PACKED.items()},
}


@contextmanager
def recognizing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within it, an error about a file that is something well known, and no model file, says what it is.

    Raises:
        ModelFileError: That is so.
    """
    try:
        yield
    except (FileNotFoundError, ValueError) as error:
        named_pickle = os.fspath(path).lower().endswith(PICKLES) and not isinstance(error, ModelFileError)
        reason = None if named_pickle else what_it_is(path)
        if reason is None:
            raise
        raise ModelFileError(path, reason) from error


def what_it_is(path: str | os.PathLike[str]) -> str | None:
    """What a file or folder is, where it is well known and no model file; None for anything else.

    It is looked at, and nothing in it is believed.
    """
    name = os.fspath(path)
    try:
        if os.path.isdir(name):  # noqa: PTH112 - `Path` raises where a name is too long
            return _folder(set(os.listdir(name)))  # noqa: PTH208 - as above
        if not os.path.isfile(name):  # noqa: PTH113 - as above
            in_parts = os.path.isfile(f"{name}.index")  # noqa: PTH113 - as above
            return _of_tensorflow("a checkpoint") if in_parts else None
        with open(name, "rb") as file:  # noqa: PTH123 - as above
            start = file.read(_BEGINNING)
        return _zip(name) if start.startswith(b"PK") else _file(name, start)
    except (OSError, ValueError):  # it cannot be read, or is damaged: that is said by who was to read it
        return None


def _of_tensorflow(what: str) -> str:
    return f"it is {what} of TensorFlow, which is read by TensorFlow alone. {_AGAIN}"


def _folder(names: set[str]) -> str | None:
    if names & {"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb"}:
        return _of_tensorflow("a folder in the SavedModel format")
    if set(_OWN_MEMBERS) <= names:
        return "it is a '.keras' archive that has been unpacked: pack what is in it, `zip -0 -r ../model.keras .`"
    return _of_tensorflow("a folder with a checkpoint") if "checkpoint" in names else None


def _zip(name: str) -> str | None:
    with refusing(name), members(name) as found:
        names = list(found)
    if any(one.endswith(".pkl") for one in names):
        return _OF_PYTORCH
    inner = next((one for one in names if one.endswith(_MODELS) and one not in _OWN_MEMBERS), None)
    if inner is not None:
        return f"it is a zip archive that holds {inner[:100]!r}: unpack it, and load that."
    if any(one.endswith("saved_model.pb") for one in names):
        return _of_tensorflow("a zip archive of a SavedModel")
    if not names or any(one in _OWN_MEMBERS or one.endswith(".npy") for one in names):
        return None
    return f"it is a zip archive of something else than a model: it holds {', '.join(map(repr, names[:3]))[:200]}."


def _file(name: str, start: bytes) -> str | None:
    known = next((reason for mark, reason in _BEGINS.items() if start.startswith(mark)), None)
    if known is not None:
        return known
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _OF_PYTORCH
    if start[4:8] == b"TFL3":
        return f"it is a TFLite model, which can be run and not trained on: it is read by TFLite alone. {_AGAIN}"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return "it is a page of the web, and not the file that was to be downloaded from it: look at it in a browser."
    if text.startswith((b"{", b"[{")):
        return "it is JSON: where `Model.to_json` wrote it, `models.model_from_json` reads its text, without weights."
    if name.endswith(".onnx") or _is_onnx(start):
        return f"it is an ONNX model: onnxruntime runs it, `multilayer inspect` lists what is in it. {_AGAIN}"
    return _of_tensorflow("a graph") if name.endswith((".pb", ".pbtxt", ".meta", ".index")) else None


def _is_onnx(start: bytes) -> bool:
    """Whether it begins as ONNX does: its version of at most 30, and who produced it, in letters."""
    if len(start) < 6 or start[0] != 0x08 or not 0 < start[1] < 30 or start[2] != 0x12:
        return False
    producer = start[4 : 4 + start[3]]
    return 0 < start[3] < 100 and producer.isascii() and producer.decode(errors="replace").isprintable()
