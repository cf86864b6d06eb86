"""Networks for tables: from a file or a frame to predictions, with all that is done with the columns in between."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from multilayer.tabular.calibration import Calibration
from multilayer.tabular.inputs import CategoryEmbeddings, OneHotCodes, PeriodicEmbedding, RobustScaling
from multilayer.tabular.layers import Clamp, NTPDense, ParametricActivation, Scale
from multilayer.tabular.piecewise import PiecewiseLinear
from multilayer.tabular.splines import LinearSplines
from multilayer.tabular.steps import AdamByWeight, CosineCycles, FlatCosine

if TYPE_CHECKING:
    from multilayer._tables import Column, Table, describe_columns, read_in_chunks, read_table
    from multilayer.tabular.arguments import NotTrainedError, TableWarning
    from multilayer.tabular.estimators import TabularClassifier, TabularRegressor, load
    from multilayer.tabular.figures import classification_figures, regression_figures
    from multilayer.tabular.importance import Importance, permutation_importance
    from multilayer.tabular.realmlp import Trained, realmlp_td, realmlp_td_s

__all__ = [
    "AdamByWeight",
    "Calibration",
    "CategoryEmbeddings",
    "Clamp",
    "Column",
    "CosineCycles",
    "FlatCosine",
    "Importance",
    "LinearSplines",
    "NTPDense",
    "NotTrainedError",
    "OneHotCodes",
    "ParametricActivation",
    "PeriodicEmbedding",
    "PiecewiseLinear",
    "RobustScaling",
    "Scale",
    "Table",
    "TableWarning",
    "TabularClassifier",
    "TabularRegressor",
    "Trained",
    "classification_figures",
    "describe_columns",
    "load",
    "permutation_importance",
    "read_in_chunks",
    "read_table",
    "realmlp_td",
    "realmlp_td_s",
    "regression_figures",
]

# The layers above are what files may name, and are there with the package. What reads tables and trains on them is
# imported when it is first used, so that `import multilayer` stays quick.
_LATER = {
    "multilayer._tables": ("Column", "Table", "describe_columns", "read_in_chunks", "read_table"),
    "multilayer.tabular.arguments": ("NotTrainedError", "TableWarning"),
    "multilayer.tabular.estimators": ("TabularClassifier", "TabularRegressor", "load"),
    "multilayer.tabular.figures": ("classification_figures", "regression_figures"),
    "multilayer.tabular.importance": ("Importance", "permutation_importance"),
    "multilayer.tabular.realmlp": ("Trained", "realmlp_td", "realmlp_td_s"),
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _LATER.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value
