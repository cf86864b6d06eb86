"""What is no model file, and is well known: whoever is to read it says what it is, and what to do."""

import io
import pickle
import zipfile

import numpy as np
import pytest

import multilayer as ml
from multilayer import layers, saving
from multilayer.saving import ModelFileError


def zipped(**members):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return memory.getvalue()


def npy():
    memory = io.BytesIO()
    np.save(memory, np.ones(3))
    return memory.getvalue()


TENSORFLOW = "of TensorFlow, which is read by TensorFlow alone. Load the model where it was made"
KINDS = {
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a pointer of Git LFS"),
    "a page": (b"\n<!DOCTYPE html>\n<html><head>", "it is a page of the web"),
    "an error in XML": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "it is a page of the web"),
    "a pickle": (pickle.dumps({"weights": [1.0]}), "it is a pickle, as PyTorch"),
    "PyTorch": (zipped(**{"model/data.pkl": b"\x80\x02", "model/version": b"3"}), "it is a pickle, as PyTorch"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x051.13\x3a\x00", "it is an ONNX model: onnxruntime runs it"),
    "TFLite": (b"\x1c\x00\x00\x00TFL3\x14\x00", "it is a TFLite model"),
    "a zip of a model": (zipped(**{"best/model.keras": b"PK"}), "holds 'best/model.keras': unpack it"),
    "a zip of pictures": (zipped(**{"a.png": b"", "b.png": b""}), "of something else than a model: it holds 'a.png'"),
    "a zipped SavedModel": (zipped(**{"m/saved_model.pb": b""}), TENSORFLOW),
    "gzip": (b"\x1f\x8b\x08\x00", "packed by gzip: unpack it first"),
    "an array": (npy(), r"a single NumPy array, of `numpy.save`"),
    "JSON": (b'{"class_name": "Sequential", "config": {}}', r"`models.model_from_json` reads its text"),
}


@pytest.mark.parametrize("ending", [".keras", ".h5", ".npz", ".weights.h5", ".safetensors", ".onnx", ".model"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_said_what_a_file_is_whatever_it_is_called(tmp_path, kind, ending):
    content, message = KINDS[kind]
    path = tmp_path / f"model{ending}"
    path.write_bytes(content)
    model = ml.Sequential([ml.Input((3,)), layers.Dense(2)])
    readers = [saving.load_model, model.load_weights]
    for read in readers:
        with pytest.raises(ModelFileError, match=message) as error:
            read(path)
        assert error.value.path == str(path)


FOLDERS = {
    "a SavedModel": (["saved_model.pb", "keras_metadata.pb"], f"a folder in the SavedModel format {TENSORFLOW}"),
    "an archive": (["config.json", "metadata.json", "model.weights.h5"], "'.keras' archive that has been unpacked"),
    "a checkpoint": (["checkpoint", "ckpt.index"], f"a folder with a checkpoint {TENSORFLOW}"),
}


@pytest.mark.parametrize("name", ["model", "model.keras"])
@pytest.mark.parametrize("kind", FOLDERS)
def test_it_is_said_what_a_folder_is(tmp_path, kind, name):
    files, message = FOLDERS[kind]
    (tmp_path / name).mkdir()
    for file in files:
        (tmp_path / name / file).write_bytes(b"")
    with pytest.raises(ModelFileError, match=message):
        saving.load_model(tmp_path / name)


def test_a_checkpoint_of_tensorflow_is_told_by_its_parts(tmp_path):
    (tmp_path / "ckpt.index").write_bytes(b"")
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(b"")
    model = ml.Sequential([ml.Input((3,)), layers.Dense(2)])
    with pytest.raises(ModelFileError, match="it is a checkpoint of TensorFlow"):
        model.load_weights(tmp_path / "ckpt")


def test_a_folder_of_anything_else_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no model file"):
        saving.load_model(tmp_path)


def test_what_fits_no_kind_is_refused_as_before(tmp_path):
    for name, content in (("a.keras", b"PK\x03\x04 cut"), ("b.keras", b"nothing"), ("c.h5", b"\x89HDF\r\n\x1a\n cut")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelFileError, match=r"zip archive|HDF5|signature|cut|ends") as error:
            saving.load_model(tmp_path / name)
        assert "it is a page" not in str(error.value)
