"""A trained table's network with all that belongs to it, in one file that is safe to open, and back."""

from __future__ import annotations

import os

from multilayer import saving
from multilayer._containers import npz
from multilayer._containers.errors import refusing
from multilayer._tracebacks import filter_traceback
from multilayer.saving.formats.npz import contents
from multilayer.tabular.estimators import TabularClassifier, TabularEstimator, TabularRegressor

_TABLE = "table"  # where the file's config has it
_KINDS: dict[str, type[TabularEstimator]] = {one.kind: one for one in (TabularClassifier, TabularRegressor)}


def save(filepath: str | os.PathLike[str], estimator: TabularEstimator) -> None:
    """Writes an estimator to a '.npz' file: that of its network, with one entry more."""
    config, arrays = contents(estimator.model_)
    npz.write(filepath, {**config, _TABLE: estimator.state()}, arrays)


@filter_traceback
def load(filepath: str | os.PathLike[str]) -> TabularClassifier | TabularRegressor:
    """The classifier or regressor in a file that its `save` wrote; neither scikit-learn nor pandas has to be there.

    Nothing in the file is run, and no class is found by its word but those of this library.

    Args:
        filepath: The file.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or holds no classifier or regressor.

    Example:
        >>> import pathlib, tempfile
        >>> X, y = {"age": [22, 35, 58, 44] * 5}, [0, 0, 1, 1] * 5
        >>> classifier = TabularClassifier(random_state=0, budget=1).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "age.npz"
        ...     classifier.save(path)
        ...     again = load(path)
        >>> bool((again.predict_proba(X) == classifier.predict_proba(X)).all())
        True
    """
    model = saving.load_model(filepath, compile=False)
    with npz.opened(filepath) as (config, _), refusing(filepath):
        state = config.get(_TABLE)
        if not isinstance(state, dict) or state.get("kind") not in _KINDS:
            raise ValueError(
                "it holds a model, and not what was done with a table before it: "
                "`multilayer.models.load_model` reads it."
            )
        try:
            params = {key: tuple(one) if isinstance(one, list) else one for key, one in state["params"].items()}
            estimator = _KINDS[state["kind"]](**params)
            estimator.set_state(state, model)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"what it says of its table is damaged: {error!r}.") from error
    return estimator  # type: ignore[return-value]
