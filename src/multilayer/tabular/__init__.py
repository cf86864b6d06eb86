"""Networks for tables: from a file or a frame to predictions, with all that is done with the columns in between."""

from multilayer._tables import Column, Table, describe_columns, read_in_chunks, read_table
from multilayer.tabular.estimators import NotTrained, TableWarning, TabularClassifier, TabularRegressor
from multilayer.tabular.files import load

__all__ = [
    "Column",
    "NotTrained",
    "Table",
    "TableWarning",
    "TabularClassifier",
    "TabularRegressor",
    "describe_columns",
    "load",
    "read_in_chunks",
    "read_table",
]
