"""What every model does with files: save, export, and weights to files and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import Any

from multilayer._checks.arguments import file_name
from multilayer._containers.foreign import recognizing
from multilayer._containers.names import check_free
from multilayer._tracebacks import filter_traceback


class SavingMixin:
    """A model's methods for files.

    What knows the formats of files knows models, too, and stands above them: each method opens a door to it when it is
    called, and a format's module is not loaded before.
    """

    built: bool

    def require_built(self, method: str) -> None:
        """Raises ValueError where the model has no weights yet."""
        raise NotImplementedError

    @filter_traceback
    def save(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Writes architecture, weights, and what `compile` was given to a file, for `load_model`.

        A '.keras' file is one of Keras 3: Keras loads it on any backend, and trains on, as it holds the optimizer's
        state, too. A '.npz' file is a NumPy archive, without that state. Metrics that are functions of your own are not
        saved unless they are registered: a warning names them. Of a model that is not built yet the file
        has no weights, which a warning says as well.

        Args:
            filepath: The file, whose name ends in '.keras' or '.npz'.
            overwrite: Whether a file that exists is replaced.
            zipped: True or None: a model is one file.
            **kwargs: `save_format` and `include_optimizer=True` of older programs, which change nothing: the name's
                ending says the format.

        Raises:
            ValueError: The name ends otherwise, `zipped` is False, or there is no such argument.
            FileExistsError: The file exists and `overwrite` is False.
            OSError: The folder is missing or not writable.
        """
        _check_older_arguments(filepath, kwargs)
        if zipped is False:
            raise ValueError("A model is one file here, and no folder: leave `zipped` out.")
        from multilayer.saving.formats import model_writer

        write = model_writer(filepath)
        check_free(filepath, overwrite)
        if not self.built:
            warnings.warn(
                "You are saving a model that has not yet been built, and has no weights: the file says what it is made "
                "of, and nothing more. Call it on some data, or `build(input_shape)`, before.",
                stacklevel=2,
            )
        write(filepath, self)

    @filter_traceback
    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str | None = None,
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Writes what the model computes when it predicts to a file for other programs, as the file's ending says.

        - '.onnx': for onnxruntime and others, of opset 18, for batches of any size, with the names of the model's
          inputs and outputs. The onnx library writes and checks it (`pip install onnx`). Of a model in float64,
          onnxruntime runs all but 'gelu', whose error function it has in float32 alone.
        - '.c': one file of C99 for programs and microcontrollers, with a header and a test beside it, 'net.h' and
          'net_test.c'. It computes one sample at a time in float32, allocates nothing and keeps nothing. What it takes
          of flash and RAM is printed. With `dtype="int8"` it computes in whole numbers alone, a byte each: what
          `multilayer.export.quantize` gives, bit for bit.
        - '.py': one Python file that needs NumPy alone, and can be read.
        - '.html': one page on which one draws a digit, or sets the inputs, and watches the network think: its units,
          weights and paths, what would change its mind, and a training step laid open. It opens from the file, without
          a server or a network.

        Dropout and noise are in none of them.

        Args:
            filepath: The file.
            format: "onnx", "c", "numpy" or "html"; None for what the ending says.
            verbose: Whether a line says that the file was written; with False, nothing is printed.
            input_signature: As in Keras; only None, for what the model was built with.
            **kwargs: Of C: `dtype="int8"` with `calibration`, rows of the input as it will be, for a network in whole
                numbers; `name`, which all names in the file begin with; `examples`, samples whose predictions the
                test compares; `progmem=True`, for constants that stay in the flash of an AVR; `flash` and `ram`, the
                bytes that the network may take, beyond which nothing is written. Of a page: `labels` and `columns`,
                what outputs and inputs are called, and `title`. Others have no options.

        Raises:
            ImportError: The onnx library is not installed.
            ValueError: The format or the ending is not known, the format has no such option, the model is not built, or
                it holds a layer or activation of your own, or what the format has no form for.
            OSError: The folder is missing or not writable, or the disk is full; what was there is as it was.

        Source: https://onnx.ai/onnx/operators

        Example:
            >>> import pathlib, tempfile
            >>> import multilayer as ml
            >>> model = ml.Sequential([ml.layers.Input((4,)), ml.layers.Dense(3, "softmax")])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.export(pathlib.Path(folder) / "net.c")
            ...     sorted(file.name for file in pathlib.Path(folder).iterdir())
            flash: 48 bytes of constants, and about 230 of code
            RAM: 32 bytes (work 4, inputs 16, outputs 12)
            multiplications: 12 a sample
            ['net.c', 'net.h', 'net_test.c']
        """
        if input_signature is not None:
            raise ValueError(
                "`input_signature` is None here: the file takes what the model was built for, in batches of any size."
            )
        from multilayer.export import export

        export(self, filepath, format, verbose, **kwargs)

    @filter_traceback
    def save_weights(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        *,
        objects_to_skip: Iterable[Any] | None = None,
    ) -> None:
        """Writes the weights to a file, and, where the model is compiled, its optimizer's state.

        To a '.safetensors' file it writes the weights alone, under their paths, such as 'dense/kernel'; that takes the
        library of that name (`pip install safetensors`).

        Args:
            filepath: The file, whose name ends in '.weights.h5', which Keras reads, '.weights.npz' or '.safetensors'.
            overwrite: Whether a file that exists is replaced.
            objects_to_skip: Layers that a '.weights.h5' file is to lack, and the optimizer, if it is not to be there.

        Raises:
            ValueError: The name ends otherwise, the model is not built, or `objects_to_skip` holds anything else.
            FileExistsError: The file exists and `overwrite` is False.
            OSError: The folder is missing or not writable.
        """
        self.require_built("save_weights")
        from multilayer.saving.formats import weights_writer

        write = weights_writer(filepath, objects_to_skip)
        check_free(filepath, overwrite)
        write(filepath, self)

    @filter_traceback
    def load_weights(
        self,
        filepath: str | os.PathLike[str],
        skip_mismatch: bool = False,
        *,
        by_name: bool = False,
        objects_to_skip: Iterable[Any] | None = None,
        allow_nonfinite: bool = False,
    ) -> None:
        """Sets the weights to those in a file, of a model of the same architecture.

        Files of weights are read, '.weights.npz' and '.weights.h5', and of files of models, '.keras', '.npz' and '.h5',
        the weights alone. Layers are found by their place, whatever they are called. A compiled model's optimizer gets
        back the state that the file has of it, so that training goes on where it stopped; where the file's is another
        optimizer's, a warning says that it is left out.

        From a '.safetensors' file, or an archive of `numpy.savez`, each weight takes the array of its path, such as
        'dense/kernel'; from an archive of arrays without names, `numpy.savez(path, *arrays)`, in their order.

        Args:
            filepath: The file.
            skip_mismatch: Whether layers that do not fit are left as they are, with a warning; of layers that are found
                by their names, the weights that do not fit.
            by_name: Whether layers are found by their names, wherever they stand. Those whose names the file has not
                are left as they are, and so is the optimizer, whose state is another model's.
            objects_to_skip: Layers that are left as they are, whatever a '.weights.h5' or '.keras' file has for them,
                and the optimizer, if it is to be left so.
            allow_nonfinite: Whether weights may be NaN or infinite, as a training that came apart leaves them.

        Raises:
            FileNotFoundError: There is no such file.
            ModelFileError: It is damaged, no file of weights, or its weights do not fit; then none is set.
            ValueError: `objects_to_skip` holds anything else than layers and an optimizer, or the file is another.
        """
        self.require_built("load_weights")
        file_name("filepath", filepath)
        from multilayer.saving.formats import weights_reader

        model: Any = self
        with recognizing(filepath):
            opened = weights_reader(filepath, by_name, skip_mismatch, objects_to_skip)
            with opened(filepath) as content:
                content.restore(model, allow_nonfinite, resume=not by_name)


def _check_older_arguments(filepath: str | os.PathLike[str], given: dict[str, Any]) -> None:
    """Raises ValueError where a program asks for what is not done, in words of Keras 2 or others."""
    without_effect = (("include_optimizer", True), ("save_format", given.get("save_format")))
    unknown = [key for key, value in given.items() if (key, value) not in without_effect]
    if unknown:
        raise ValueError(
            f"The following argument(s) are not supported: {unknown}. The optimizer's state is in a '.keras' file "
            "where the model is compiled."
        )
    if given.get("save_format") and not os.fspath(filepath).endswith((".keras", ".npz", ".h5", ".hdf5")):
        raise ValueError(
            "The `save_format` argument is deprecated in Keras 3, and the file's name says what it is: end it in "
            f"'.keras'. Received: save_format={given['save_format']!r}, filepath={os.fspath(filepath)!r}"
        )
