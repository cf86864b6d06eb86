"""What becomes a table, whoever made it."""

import datetime

import numpy as np
import pytest

from multilayer._tables import Table, describe_columns


def content(table):
    return {name: [None if one != one else one for one in table[name].tolist()] for name in table.names}


def test_pandas():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "nullable": pd.array([1, None], "Int64"),
            "category": pd.Categorical(["x", None]),
            "codes": pd.Categorical([1, 2]),
            "date": pd.to_datetime(["2020-01-01", None]),
            "zone": pd.to_datetime(["2020-01-01", None], utc=True),
            "mixed": [True, 2.5],
            "boolean": pd.array([True, None], "boolean"),
            "string": pd.array(["x", None], "string"),
            "object": ["x", np.nan],
            "interval": pd.interval_range(0, 2),
            "period": pd.period_range("2020-01", periods=2, freq="M"),
        }
    )
    day = datetime.datetime(2020, 1, 1)
    assert content(Table.of(frame)) == {
        "nullable": [1, None],
        "category": ["x", None],
        "codes": ["1", "2"],
        "date": [day, None],
        "zone": [day, None],
        "mixed": [1, 2.5],
        "boolean": [1, None],
        "string": ["x", None],
        "object": ["x", None],
        "interval": ["(0, 1]", "(1, 2]"],
        "period": ["2020-01", "2020-02"],
    }


def polars_frame():
    pl = pytest.importorskip("polars")
    return pl.DataFrame(
        {
            "n": [1, None],
            "t": ["x", None],
            "b": [True, None],
            "null": [None, None],
            "category": pl.Series(["x", None], dtype=pl.Categorical),
            "enum": pl.Series(["x", None], dtype=pl.Enum(["x"])),
            "date": [datetime.date(2020, 1, 1), None],
            "time": [datetime.datetime(2020, 1, 1), None],
        }
    )


@pytest.mark.parametrize("form", ["polars", "lazy", "arrow"])
def test_polars_and_pyarrow(form):
    frame = polars_frame()
    if form == "arrow":
        pytest.importorskip("pyarrow")
    day = datetime.datetime(2020, 1, 1)
    assert content(Table.of({"lazy": frame.lazy, "arrow": frame.to_arrow}.get(form, lambda: frame)())) == {
        "n": [1, None],
        "t": ["x", None],
        "b": [1, None],
        "null": [None, None],
        "category": ["x", None],
        "enum": ["x", None],
        "date": [day, None],
        "time": [day, None],
    }


def test_dicts_rows_and_matrices():
    assert content(Table.of([{"a": 1}, {"b": "x", "a": 2}])) == {"a": [1, 2], "b": [None, "x"]}
    assert Table.of({"a": [datetime.date(2020, 1, 1), None]}).types == {"a": "date"}
    table = Table.of(np.eye(2, dtype=np.float32))
    assert (table.names, table.named, table["x0"].dtype) == (["x0", "x1"], False, np.float64)
    assert content(Table.of([[1, "a"], [2, "b"]])) == {"x0": [1, 2], "x1": ["a", "b"]}
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(np.eye(2))
    assert content(Table.of(sparse)) == {"x0": [1, 0], "x1": [0, 1]}
    assert Table.of(table) is table


def test_rows_and_columns_are_chosen():
    table = Table.of({"a": [1, 2, 3], "b": ["x", "y", None]})
    assert content(table.rows([2, 0])) == {"a": [3, 1], "b": [None, "x"]}
    assert len(table.rows(slice(1, None))) == 2
    assert table.without("a").names == ["b"]
    assert table.select(["b", "a"]).names == ["b", "a"]
    assert "a" in table
    with pytest.raises(KeyError, match="There is no column 'c'. Expected one of: 'a', 'b'"):
        table["c"]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"a": [1, np.inf]}, "`a` holds infinite values, in row 1"),
        ({"a": [[1], [2]]}, "`a` holds lists"),
        ({"a": [1j]}, "`a` holds complex128|no real ones"),
        ({"a": [object()]}, "`a` holds values of the types object"),
        ({"a": [*range(40), "about"]}, "`a` holds numbers, but for 1 of 41 values .'about'., in row 40"),
        ({"a": [1], "b": [1, 2]}, "`b` has 2 rows, and `a` has 1"),
        ({1: [1], "1": [2]}, "Several columns are called `1`"),
        (np.ones(3), "A table is expected"),
        (7, "A table is expected"),
    ],
)
def test_what_is_no_table_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        Table.of(x)


def test_as_types():
    table = Table.of(
        {"n": ["1", None], "t": [7, 8.5], "b": ["yes", "no"], "d": ["2024-01-31", None], "e": [None, None]}
    )
    wanted = {"n": "number", "t": "text", "b": "boolean", "d": "date", "e": "text"}
    found = table.as_types(wanted)
    assert found.types == wanted
    assert content(found)["t"] == ["7", "8.5"]
    assert content(found)["e"] == [None, None]
    with pytest.raises(ValueError, match="`n` holds numbers, but for 1 of 2 values .'x'., in row 1"):
        Table.of({"n": ["1", "x"]}).as_types({"n": "number"})
    with pytest.raises(ValueError, match="`d` holds numbers. Expected dates"):
        Table.of({"d": [1, 2]}).as_types({"d": "date"})


def test_kinds_of_columns():
    rows = 40
    draw = np.random.default_rng(0)
    table = Table.of(
        {
            "customer_id": draw.permutation(10 * rows)[:rows],
            "row": np.arange(rows),
            "name": [f"name {i}" for i in range(rows)],
            "income": draw.normal(size=rows),
            "salary": draw.permutation(10 * rows)[:rows],
            "children": draw.integers(0, 3, rows),
            "smoker": draw.integers(0, 2, rows),
            "city": draw.choice(["Seoul", "Busan"], rows),
            "born": np.datetime64("2000-01-01") + np.arange(rows),
            "unit": ["m"] * rows,
            "nothing": [None] * rows,
            "mostly": [1.5, 2.5] + [None] * (rows - 2),
        }
    )
    table = Table.of(table.columns | {"again": table["income"], "town": table["city"]})
    found = {one.name: one for one in describe_columns(table)}
    assert {name: one.kind for name, one in found.items()} == {
        "customer_id": "identifier",
        "row": "identifier",
        "name": "identifier",
        "income": "number",
        "salary": "number",
        "children": "number",
        "smoker": "boolean",
        "city": "category",
        "born": "date",
        "unit": "constant",
        "nothing": "constant",
        "mostly": "number",
        "again": "duplicate",
        "town": "duplicate",
    }
    assert found["town"].reason == "the same as `city` in every row"
    assert "left out" in found["customer_id"].warning
    assert found["mostly"].warning == "`mostly` is missing in 95% of the rows."
    assert found["income"].warning == ""


def test_whole_numbers_that_float64_cannot_tell_apart_are_text_of_whatever_frame():
    pd = pytest.importorskip("pandas")
    long = [2**60, 2**60 + 1]
    frames = [
        {"a": long}, {"a": np.array(long)}, {"a": np.array(long, np.uint64)}, pd.DataFrame({"a": long}),
        pd.DataFrame({"a": pd.array(long, "Int64")}),
    ]  # fmt: skip
    for frame in frames:
        assert Table.of(frame)["a"].tolist() == [str(one) for one in long]
    assert Table.of({"a": [*long, None]})["a"].tolist() == [*map(str, long), None]
    assert Table.of({"a": [2**53, -(2**53)]}).types == {"a": "number"}
    assert Table.of({"a": [1e300, 2]}).types == {"a": "number"}


def test_names_of_letters_taken_apart_are_those_of_whole_ones():
    table = Table.of({"caf\u00e9": [1], "b": [2]})
    assert table.named_as(["cafe\u0301", "b"]).names == ["cafe\u0301", "b"]
    assert table.named_as(["caf\u00e9"]) is table
    both = Table.of({"caf\u00e9": [1], "cafe\u0301": [2]})
    assert both.named_as(["cafe\u0301"]) is both
