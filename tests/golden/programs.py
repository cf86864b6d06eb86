"""The table of golden programs: small Keras programs that walk the same path with Keras and with `multilayer`.

To add one, write a function of `keras` into the module that it belongs to, decorate it with `@program` (or, for a
family that differs in one thing, `@variants`), and record it with `record.py`.
"""

from golden import (  # noqa: F401 - they enter their programs into the table
    activation_programs,
    fitting,
    functional_programs,
    learning,
    loss_argument_programs,
    loss_programs,
    networks,
    words,
)
from golden.table import PROGRAMS

__all__ = ["PROGRAMS"]
