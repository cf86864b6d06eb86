"""Small helpers: Keras' under Keras' names, the check of derivatives written by hand, and advice on speed."""

from __future__ import annotations

from multilayer._names.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from multilayer._names.naming import reset_names as clear_session
from multilayer._system.progress import Progbar
from multilayer.layers.symbolic import is_keras_tensor
from multilayer.random import set_random_seed
from multilayer.saving.objects import deserialize_keras_object, serialize_keras_object
from multilayer.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from multilayer.utils.feature_space import FeatureSpace
from multilayer.utils.fetching import get_file
from multilayer.utils.gradients import check_gradients
from multilayer.utils.learning_rates import LearningRateRange, learning_rate_range_test
from multilayer.utils.model_visualization import model_to_dot, model_to_text, plot_model
from multilayer.utils.numerical import normalize, to_categorical
from multilayer.utils.parallel import parallel_map
from multilayer.utils.py_dataset import PyDataset, Sequence
from multilayer.utils.sequences import pad_sequences
from multilayer.utils.splitting import split_dataset
from multilayer.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "CustomObjectScope",
    "FeatureSpace",
    "LearningRateRange",
    "Progbar",
    "PyDataset",
    "Sequence",
    "advice",
    "check_gradients",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "learning_rate_range_test",
    "model_to_dot",
    "model_to_text",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "parallel_map",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


def advice() -> list[str]:
    """What slows this machine down and how to mend it, in whole sentences; nothing where all is well.

    See `machine.advice`. The command line prints it where it computes; MULTILAYER_ADVICE=0 keeps it quiet.

    Example:
        >>> for sentence in advice():
        ...     print(sentence)  # doctest: +SKIP
    """
    from multilayer._system import machine  # what it asks for takes a while to import

    return machine.advice()
