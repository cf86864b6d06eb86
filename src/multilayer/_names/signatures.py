"""What can be passed to a class: the parameters of its constructor, and of those that it passes the rest on to."""

from __future__ import annotations

from inspect import Parameter


def constructor_parameters(cls: type) -> dict[str, Parameter]:
    """The parameters that can be passed by name, in order; of two of one name, that of the class nearest to `cls`.

    Example:
        >>> from multilayer.optimizers import AdamW
        >>> parameters = constructor_parameters(AdamW)
        >>> list(parameters)[:2], parameters["weight_decay"].default, parameters["clipnorm"].default
        (['learning_rate', 'weight_decay'], 0.004, None)
    """
    import inspect

    found: dict[str, Parameter] = {}
    for one in cls.__mro__:
        if "__init__" in vars(one) and one is not object:
            _, *parameters = inspect.signature(vars(one)["__init__"]).parameters.values()  # all but `self`
            for parameter in parameters:
                if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
                    found.setdefault(parameter.name, parameter)
    return found
