"""Tables as people have them, files and frames of whatever maker, as named columns of four forms.

A column is float64 with NaN where a value is missing, bool, an object array of str or None, or datetime64[s] with NaT.
NumPy and the standard library are enough; pyarrow is imported where Parquet or Feather is read, and frames are known by
what they can do, so that neither pandas nor polars has to be there.
"""

from multilayer._tables.chunks import column_types, joined, read_in_chunks, read_names, shuffled
from multilayer._tables.kinds import Column, describe_columns
from multilayer._tables.reading import read_table
from multilayer._tables.table import Table

__all__ = [
    "Column",
    "Table",
    "column_types",
    "describe_columns",
    "joined",
    "read_in_chunks",
    "read_names",
    "read_table",
    "shuffled",
]
