"""The table of golden programs: small Keras programs that walk the same path with Keras and with `multilayer`.

To add one, write a function of `keras` into the module that it belongs to, decorate it with `@program` (or, for a
family that differs in one thing, `@variants`), and record it with `record.py`.
"""

from golden import (
    activation_programs,
    callback_programs,
    dataset_programs,
    fitting,
    function_programs,
    functional_programs,
    layer_programs,
    learning,
    loss_argument_programs,
    loss_programs,
    mask_programs,
    metric_programs,
    model_programs,
    networks,
    operation_programs,
    optimizer_programs,
    step_programs,
    stream_programs,
    utility_programs,
    whole_programs,
    word_layer_programs,
    words,
)
from golden.table import PROGRAMS

MODULES = (  # each enters its programs into the table when it is imported
    activation_programs,
    callback_programs,
    dataset_programs,
    fitting,
    function_programs,
    functional_programs,
    layer_programs,
    learning,
    loss_argument_programs,
    loss_programs,
    mask_programs,
    metric_programs,
    model_programs,
    networks,
    operation_programs,
    optimizer_programs,
    step_programs,
    stream_programs,
    utility_programs,
    whole_programs,
    word_layer_programs,
    words,
)
__all__ = ["MODULES", "PROGRAMS"]
