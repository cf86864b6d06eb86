"""What Keras has and a library of the multilayer perceptron leaves out: by family, with why, and what to use instead.

`explain` has a package's modules say so where somebody asks them for such a name.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple


class Family(NamedTuple):
    """Names that are left out for one reason.

    Attributes:
        title: What they have in common, in a word or two.
        why: What they are for, to end the sentence "Out of scope: …".
        instead: What does here what can be done, to end the sentence "Use instead: …".
        names: The names by Keras' module ('keras' is the top), divided by blanks; a module stands for all it holds.
    """

    title: str
    why: str
    instead: str
    names: dict[str, str]


_KERAS_ITSELF = "or Keras itself: weights go over with `get_weights`"

FAMILIES = (
    Family(
        "convolution",
        "one small kernel that is moved over a picture or a sequence, where a perceptron weighs each input by itself",
        f"`Flatten` and `Dense`, {_KERAS_ITSELF}",
        {
            "layers": "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D "
            "DepthwiseConv2D SeparableConv1D SeparableConv2D Convolution1D Convolution2D Convolution3D "
            "Convolution1DTranspose Convolution2DTranspose Convolution3DTranspose SeparableConvolution1D "
            "SeparableConvolution2D",
            "ops": "conv conv_transpose depthwise_conv separable_conv unfold fold",
            "ops.nn": "conv conv_transpose depthwise_conv separable_conv unfold fold",
        },
    ),
    Family(
        "pooling and padding",
        "they shrink, grow or drop the maps between convolutions",
        "`Flatten`, or a mean of your own over the axes before the network",
        {
            "layers": "MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D AvgPool1D "
            "AvgPool2D AvgPool3D AveragePooling1D AveragePooling2D AveragePooling3D "
            "GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling2D GlobalMaxPooling3D GlobalAvgPool2D "
            "GlobalAvgPool3D GlobalAveragePooling2D GlobalAveragePooling3D AdaptiveMaxPooling1D "
            "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AdaptiveAveragePooling1D "
            "AdaptiveAveragePooling2D AdaptiveAveragePooling3D UpSampling1D UpSampling2D "
            "UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D "
            "Cropping3D",
            "ops": "adaptive_average_pool adaptive_max_pool average_pool max_pool",
            "ops.nn": "adaptive_average_pool adaptive_max_pool average_pool max_pool",
        },
    ),
    Family(
        "dropout of whole maps",
        "it drops a feature at all steps of a sequence or places of a picture at once, which `Dropout` does, too",
        "`Dropout(rate, noise_shape=(None, 1, None))` for sequences, `(None, 1, 1, None)` for pictures, and so on",
        {"layers": "SpatialDropout1D SpatialDropout2D SpatialDropout3D"},
    ),
    Family(
        "recurrent",
        "layers that are run step by step over a sequence",
        f"`Flatten` and `Dense` on a window of fixed length, {_KERAS_ITSELF}",
        {
            "layers": "RNN SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell StackedRNNCells ConvLSTM1D ConvLSTM2D "
            "ConvLSTM3D Bidirectional",
            "losses": "CTC ctc",
            "ops": "ctc_decode ctc_loss",
            "ops.nn": "ctc_decode ctc_loss",
        },
    ),
    Family(
        "attention",
        "the layers of transformers, whose weights are computed from the data",
        f"`Dense`, {_KERAS_ITSELF}",
        {
            "layers": "Attention AdditiveAttention MultiHeadAttention GroupQueryAttention ReversibleEmbedding",
            "ops": "dot_product_attention",
            "ops.nn": "dot_product_attention",
            "config": "enable_flash_attention disable_flash_attention is_flash_attention_enabled",
        },
    ),
    Family(
        "images",
        "reading, changing and drawing pictures, boxes and masks",
        "Pillow and NumPy for pictures as arrays, and `Rescaling` in the network",
        {
            "keras": "visualization",
            "ops": "image depth_to_space space_to_depth",
            "ops.nn": "depth_to_space space_to_depth",
            "layers": "AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix "
            "Equalization MaxNumBoundingBoxes MixUp RandAugment RandomBrightness RandomColorDegeneration "
            "RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip "
            "RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization "
            "RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom Resizing "
            "Solarization",
            "utils": "array_to_img bounding_boxes img_to_array load_img save_img",
            "preprocessing": "image",
            "config": "image_data_format set_image_data_format",
            "backend": "image_data_format set_image_data_format",
        },
    ),
    Family(
        "trained networks",
        "networks of convolutions that somebody else has trained",
        "a model of your own on the features that Keras' networks give",
        {"keras": "applications"},
    ),
    Family(
        "segmentation",
        "a class for each pixel of a picture",
        "the cross-entropies as losses and the accuracies as metrics",
        {
            "losses": "Dice Tversky dice tversky",
            "metrics": "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU",
        },
    ),
    Family(
        "embeddings of pairs",
        "it moves samples of one class together and others apart, and compares all pairs of a batch",
        "a loss of your own, written with NumPy's functions: it sees all rows of a batch",
        {"losses": "Circle circle"},
    ),
    Family(
        "sound",
        "spectra of recordings",
        "`numpy.fft` before the network",
        {
            "layers": "MelSpectrogram STFTSpectrogram",
            "initializers": "STFT STFTInitializer stft",
            "ops": "extract_sequences fft fft2 ifft2 irfft istft rfft stft",
        },
    ),
    Family(
        "a language for axes",
        "it moves axes by a pattern in letters, such as 'b h w -> b (h w)'",
        "`ops.reshape`, `ops.transpose` and `ops.einsum`",
        {"ops": "rearrange"},
    ),
    Family(
        "data from folders",
        "pictures, texts and recordings as TensorFlow data sets",
        "arrays, or a generator of batches; `utils.pad_sequences` for sequences",
        {
            "utils": "audio_dataset_from_directory image_dataset_from_directory text_dataset_from_directory",
            "preprocessing": "image_dataset_from_directory text_dataset_from_directory",
        },
    ),
    Family(
        "other frameworks",
        "layers and files of TensorFlow, JAX or PyTorch",
        "a `Layer` of your own, or `get_weights` there and `set_weights` here",
        {
            "layers": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
            "callbacks": "OrbaxCheckpoint",
            "saving": "KerasFileEditor",
            "export": "ExportArchive",
        },
    ),
    Family(
        "reports to a server",
        "it sends the metrics of every epoch over the network",
        "`LambdaCallback` with what you would send",
        {"callbacks": "RemoteMonitor"},
    ),
    Family(
        "backends",
        "tensors and operations that several frameworks run; here all are NumPy's arrays",
        "NumPy, whose functions have the same names",
        {
            "keras": "Operation Function StatelessScope SymbolicScope RematScope remat device name_scope",
            "backend": "get_uid is_float_dtype is_int_dtype result_type standardize_dtype",
            "config": "is_nnx_enabled set_backend",
            "utils": "get_source_inputs standardize_dtype",
        },
    ),
    Family(
        "distribution",
        "one network over several machines or devices",
        "one process on one machine, which is what a perceptron needs",
        {"keras": "distribution"},
    ),
    Family(
        "mixed precision and quantization",
        "numbers of 16 bits or fewer; here they are float32 or float64 throughout",
        "`config.set_floatx`, or a layer's `dtype`",
        {
            "keras": "dtype_policies mixed_precision quantizers DTypePolicy FloatDTypePolicy Quantizer",
            "optimizers": "LossScaleOptimizer",
            "config": "dtype_policy set_dtype_policy",
        },
    ),
    Family(
        "distillation",
        "it trains one model on another, which takes a dozen lines",
        "a `Model` that writes over `compute_loss`, or `fit(x, teacher.predict(x))` with the loss `KLDivergence`",
        {"keras": "distillation"},
    ),
    Family(
        "switches without an effect here",
        "no file that is read can hold code",
        "nothing in their place",
        {"config": "enable_unsafe_deserialization"},
    ),
    Family(
        "what Keras keeps for old programs",
        "names of Keras 2, most of which only raise an error in Keras 3",
        "the same name without `legacy`",
        {"keras": "legacy", "optimizers": "legacy", "utils": "legacy"},
    ),
    Family(
        "layers around layers",
        "a layer that changes or runs other layers",
        "a `Sequential` or a `Model`, which are layers, too",
        {"layers": "Pipeline"},
    ),
    Family(
        "checks of a layer's input",
        "it describes the inputs that a layer of one's own takes",
        "`Layer.build(input_shape)`, which may raise a ValueError",
        {"keras": "InputSpec", "layers": "InputSpec"},
    ),
    Family(
        "other data sets",
        "pictures in colour",
        "`mnist` and `fashion_mnist`, or arrays of your own",
        {"datasets": "cifar10 cifar100"},
    ),
    Family(
        "several optimizers at once",
        "one for each part of a network",
        "a `train_step` of your own, with a `GradientTape` and an optimizer for each part",
        {"optimizers": "MultiOptimizer OptimizerMap"},
    ),
    Family(
        "switches for a whole program",
        "limits and silence for every `fit` at once",
        "the arguments `epochs`, `steps_per_epoch` and `verbose` of `fit`",
        {
            "config": "max_epochs max_steps_per_epoch set_max_epochs set_max_steps_per_epoch "
            "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
            "utils": "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
        },
    ),
    Family(
        "what others do better",
        "dictionaries with dots",
        "a dataclass",
        {"utils": "Config"},
    ),
)


def explain(package: str) -> None:
    """Gives every module of a package a `__getattr__` that says what is known about a name that is not there.

    A `__getattr__` that a module has is asked first.

    Example:
        >>> import multilayer
        >>> multilayer.layers.Conv2D
        Traceback (most recent call last):
        AttributeError: multilayer.layers.Conv2D is out of scope: one small kernel that is moved over a picture or a ...
        >>> hasattr(multilayer.layers, "Conv2D")
        False
        >>> multilayer.losses.mean_square_error
        Traceback (most recent call last):
        AttributeError: module 'multilayer.losses' has no attribute 'mean_square_error'. Did you mean 'mean_squared_e...
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package:
            vars(module)["__getattr__"] = functools.partial(_missing, module, vars(module).get("__getattr__"))
    if _Modules not in sys.meta_path:
        sys.meta_path.append(_Modules)


def family(module: str, name: str) -> Family | None:
    """The family that a name of a module ('keras' is the top) is left out with, or None."""
    return _families().get((module, name))


@functools.cache
def _families() -> dict[tuple[str, str], Family]:
    return {(module, name): one for one in FAMILIES for module, names in one.names.items() for name in names.split()}


def _missing(module: ModuleType, inner: Callable[[str], Any] | None, name: str) -> Any:
    """What `module.name` comes to where the module has no such name."""
    if inner is not None:
        try:
            return inner(name)
        except AttributeError:
            pass
    message = _advice(module.__name__, name)
    if message is None:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}{_nearest(module, name)}")
    raise (ImportError if _is_import(sys._getframe(1)) else AttributeError)(message)


def _advice(module: str, name: str) -> str | None:
    """Why a name is left out, and what to use instead; None where it is not left out on purpose."""
    found = family(module.partition(".")[2] or "keras", name)
    return f"{module}.{name} is out of scope: {found.why}. Use instead: {found.instead}." if found else None


def _nearest(module: ModuleType, name: str) -> str:
    """The public name that is most like this one, as a question to follow the message, where there is one."""
    if name.startswith("_"):
        return ""
    import difflib

    public = [one for one in dir(module) if not one.startswith("_")]
    close = difflib.get_close_matches(name, public, n=1)
    return f". Did you mean {close[0]!r}?" if close else ""


def _is_import(frame: Any) -> bool:
    """Whether the frame is at `from module import name`, which drops what an AttributeError says."""
    from opcode import opmap

    return bool(frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"])


class _Modules:
    """Asked last for a module that nobody has found: `from multilayer.ops import relu` ends here."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Raises ModuleNotFoundError with the advice where there is some."""
        parent, last = name.rpartition(".")[::2]
        if parent.partition(".")[0] == __name__.partition(".")[0] and (message := _advice(parent, last)):
            raise ModuleNotFoundError(message, name=name)
