"""Networks for tables: from a file or a frame to predictions, with all that is done with the columns in between."""

from multilayer._tables import Column, Table, describe_columns, read_in_chunks, read_table
from multilayer.tabular.calibration import Calibration
from multilayer.tabular.estimators import NotTrainedError, TableWarning, TabularClassifier, TabularRegressor
from multilayer.tabular.files import load
from multilayer.tabular.inputs import CategoryEmbeddings, OneHotCodes, PeriodicEmbedding, RobustScaling
from multilayer.tabular.layers import Clamp, NTPDense, ParametricActivation, Scale
from multilayer.tabular.realmlp import Trained, realmlp_td, realmlp_td_s
from multilayer.tabular.steps import AdamByWeight, CosineCycles, FlatCosine

__all__ = [
    "AdamByWeight",
    "Calibration",
    "CategoryEmbeddings",
    "Clamp",
    "Column",
    "CosineCycles",
    "FlatCosine",
    "NTPDense",
    "NotTrainedError",
    "OneHotCodes",
    "ParametricActivation",
    "PeriodicEmbedding",
    "RobustScaling",
    "Scale",
    "Table",
    "TableWarning",
    "TabularClassifier",
    "TabularRegressor",
    "Trained",
    "describe_columns",
    "load",
    "read_in_chunks",
    "read_table",
    "realmlp_td",
    "realmlp_td_s",
]
