"""Files become tables: what is found out, and what is said of files that are none."""

import csv
import datetime
import gzip
import tracemalloc
import unicodedata
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilayer._tables import Table, read_in_chunks, read_names, read_table, reading, shuffled


@pytest.fixture
def write(tmp_path):
    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_every_form_is_found_over_the_whole_column(write):
    table = read_table(write("n,b,t,d\n1,yes,x,2024-01-31\n,no,,2024-02-01\n-2.5e3,yes,NA,\n"))
    assert table.types == {"n": "number", "b": "boolean", "t": "text", "d": "date"}
    np.testing.assert_array_equal(table["n"], [1, np.nan, -2500])
    assert table["b"].tolist() == [True, False, True]
    assert table.words == {"b": ("no", "yes")}
    assert table["t"].tolist() == ["x", None, None]
    assert str(table["d"][2]) == "NaT"
    assert table.lines.tolist() == [2, 3, 4]
    assert table.notes == []


@pytest.mark.parametrize("marker", ["", "NA", "N/A", "NaN", "null", "None", "?", "-"])
def test_markers_of_missing_values_leave_numbers_numbers(write, marker):
    np.testing.assert_array_equal(read_table(write(f"a,b\n1,x\n{marker},y\n"))["a"], [1, np.nan])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_and_said(write, separator):
    table = read_table(write(separator.join("abc") + "\n" + separator.join(["1", '"x, y; z"', "3"]) + "\n"))
    assert table.columns["b"].tolist() == ["x, y; z"]
    assert bool(table.notes) == (separator != ",")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp949"])
def test_the_encoding_is_found(write, encoding):
    table = read_table(write("이름,value,city\n김철수,1,Seoul\n이영희,2,Busan\n".encode(encoding)))
    assert table["이름"].tolist() == ["김철수", "이영희"]
    assert bool(table.notes) == (not encoding.startswith("utf-8"))


def test_western_text_is_not_taken_for_korean(write):
    table = read_table(write("café,größe\nété,Äpfel\nnaïve,Übermut\n".encode("latin-1")))
    assert table["café"].tolist() == ["été", "naïve"]
    assert "cp1252" in table.notes[0]


@pytest.mark.parametrize(
    ("separator", "texts", "expected"),
    [
        (";", ["1,5", "2"], [1.5, 2]),
        (";", ["1,234", "2"], [1.234, 2]),
        (";", ["1.234,5", "0,5"], [1234.5, 0.5]),
        (";", ["1,234,567", "2"], [1234567, 2]),
        (",", ["1,234", "56"], [1234, 56]),
        (",", ["1,5", "2"], [1.5, 2]),
        ("\t", ["1,234.5", "0.5"], [1234.5, 0.5]),
    ],
)
def test_decimal_commas_and_thousands(write, separator, texts, expected):
    rows = "".join(f'"{one}"{separator}x\n' for one in texts)
    assert read_table(write(f"a{separator}b\n{rows}"))["a"].tolist() == expected


@pytest.mark.parametrize("texts", [["1,5", "2.5"], ["0012", "34"], ["1_000", "2"], ["1,23", "1.5"]])
def test_what_only_looks_like_numbers_stays_text(write, texts):
    assert read_table(write("a,b\n" + "".join(f'"{one}",1\n' for one in texts))).types["a"] == "text"


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-31", "2023-12-01"],
        ["2024-01-31T10:00", "2023-12-01 09:30:15.25"],
        ["2024/1/31", "2023/12/1"],
        ["2024.01.31", "2023.12.01."],
        ["2024. 1. 31.", "2023. 12. 1."],
        ["2024년 1월 31일", "2023년 12월 1일"],
        ["31.01.2024", "01.12.2023"],
        ["31/01/2024", "01/12/2023"],
        ["01/31/2024", "12/01/2023"],
        ["31 Jan 2024", "December 1, 2023"],
        ["20240131", "20231201"],
        ["2024-01-31T03:00:00+09:00", "2023-12-01T00:00:00Z"],
    ],
)
def test_dates_as_people_write_them(write, texts):
    dates = read_table(write("a|b\n" + "".join(f"{one}|1\n" for one in [*texts, ""])), separator="|")["a"]
    assert dates.dtype == np.dtype("datetime64[s]")
    expected = [datetime.date(2024, 1, 30 if "+09" in texts[0] else 31), datetime.date(2023, 12, 1)]
    assert dates[:2].astype("datetime64[D]").tolist() == expected
    assert np.isnat(dates[2])


def test_dates_that_may_be_read_in_two_ways_are_said(write):
    table = read_table(write("a,b\n01/02/2024,1\n03/04/2024,2\n"))
    assert str(table["a"][0])[:10] == "2024-01-02"
    assert "month/day/year" in table.notes[0]


def test_no_date_at_all_is_text(write):
    assert read_table(write("a,b\n2024-02-30,1\n2024-01-01,2\n")).types["a"] == "text"


NUMBERS = [f"{i}.5" for i in range(40)]


def column(values):
    return "a,b\n" + "".join(f"{one},1\n" for one in values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.csv is empty"),
        ("\n\n", "data.csv is empty"),
        ("a,b\n", r"a line with names \('a', 'b'\), and no rows"),
        ("a,b,a\n1,2,3\n", "several columns called 'a': number 1, 3"),
        (";" + "a;" * 999 + "\n1", r"several columns called 'a': number 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 989 more\."),
        ("a,b\n1,2\n3\n", "line 3: 1 values, where the first line names 2 columns"),
        ('a,b\n1,"x\ny"\n3,4,5\n', "line 4: 3 values"),
        (column([*NUMBERS, "about 5"]), r"`a` holds numbers, but for 1 of 41 values \('about 5'\), in line 42"),
        (column([*NUMBERS, "inf"]), "`a` holds infinite values, in line 42"),
        (column([*NUMBERS, "1e999"]), "`a` holds infinite values, in line 42"),
        (b"PK\x03\x04.....", "a zip archive"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_table(write(content))


def test_a_wrong_encoding_and_a_wrong_separator_are_said(write):
    path = write("이름,a\n김,1\n".encode("cp949"))
    with pytest.raises(ValueError, match="cannot be read as utf-8"):
        read_table(path, encoding="utf-8")
    with pytest.raises(ValueError, match="no encoding 'korean2'"):
        read_table(path, encoding="korean2")
    with pytest.raises(ValueError, match="separator is ';;'"):
        read_table(path, separator=";;")


def test_groups_that_are_named_by_numbers_are_text(write):
    assert read_table(write(column(["0", "1", "2", "3+"] * 20))).types["a"] == "text"


def test_a_columns_type_may_be_named(write):
    path = write(column([*NUMBERS, "about 5"]))
    assert read_table(path, types={"a": "text"})["a"][-1] == "about 5"
    with pytest.raises(ValueError, match="`a` holds numbers, but for 1 of 41"):
        read_table(path, types={"a": "number"})
    assert read_table(write("a\n7\n8\n"), types={"a": "text"})["a"].tolist() == ["7", "8"]


def test_empty_columns_at_the_end_of_lines_are_none(write):
    assert read_table(write("a,b,\n1,2,\n3,4,\n")).names == ["a", "b"]
    assert read_table(write(",a\n0,5\n1,6\n")).names == ["unnamed 1", "a"]


def test_npz(tmp_path):
    np.savez(tmp_path / "a.npz", age=[1, 2], city=np.array(["x", "y"]), x=np.eye(2))
    assert read_table(tmp_path / "a.npz").types == {"age": "number", "city": "text", "x0": "number", "x1": "number"}
    np.savez(tmp_path / "b.npz", a=[1, 2], b=[1])
    with pytest.raises(ValueError, match="`b` has 1 rows, and `a` has 2"):
        read_table(tmp_path / "b.npz")
    (tmp_path / "c.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no named arrays"):
        read_table(tmp_path / "c.npz")


@pytest.mark.parametrize("name", ["data.parquet", "data.feather"])
def test_parquet_and_feather(tmp_path, name):
    arrow = pytest.importorskip("pyarrow")
    feather, parquet = pytest.importorskip("pyarrow.feather"), pytest.importorskip("pyarrow.parquet")
    frame = arrow.table({"n": [1, None], "t": ["x", None], "b": [True, False], "d": [datetime.date(2024, 1, 31), None]})
    (parquet.write_table if name.endswith("parquet") else feather.write_feather)(frame, str(tmp_path / name))
    table = read_table(tmp_path / name)
    assert table.types == {"n": "number", "t": "text", "b": "boolean", "d": "date"}
    parts = list(read_in_chunks(tmp_path / name, rows=1))
    assert [len(part) for part in parts] == [1, 1]
    assert parts[0]["t"].tolist() == ["x"]
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read as"):
        read_table(tmp_path / name)


def test_types_hold_for_all_chunks(write):
    path = write("a,b,c\n" + "".join(f"{i},{'' if i < 10 else 'yes'},{i if i < 10 else 'x'}\n" for i in range(20)))
    parts = list(read_in_chunks(path, rows=8))
    assert [len(part) for part in parts] == [8, 8, 4]
    assert {part.types["c"] for part in parts} == {"text"}
    assert parts[2].lines.tolist() == [18, 19, 20, 21]
    assert np.concatenate([part["a"] for part in parts]).tolist() == list(range(20))


def test_chunks_need_no_more_memory_for_more_rows(write, monkeypatch):
    monkeypatch.setattr(reading, "_SAMPLE", 2000)  # letters of the beginning, which are held

    def peak(rows):
        path = write("a,b,c\n" + "x,1.5,2024-01-31\n" * rows)
        tracemalloc.start()
        assert sum(len(part) for part in read_in_chunks(path, rows=200)) == rows
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(8000) < 1.3 * peak(2000)


def test_shuffled_has_the_same_rows_in_another_order():
    chunks = [Table({"a": np.arange(i, i + 10)}) for i in range(0, 100, 10)]
    found = np.concatenate([part["a"] for part in shuffled(chunks, rows=40, seed=1)])
    assert sorted(found) == list(range(100))
    assert found.tolist() != list(range(100))
    again = np.concatenate([part["a"] for part in shuffled(chunks, rows=40, seed=1)])
    np.testing.assert_array_equal(found, again)


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            WORDS.map("w".__add__),
            st.booleans(),
            st.none() | st.datetimes(datetime.datetime(1900, 1, 1)).map(lambda one: one.replace(microsecond=0)),
        ),
        min_size=1,
    ),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_what_is_written_comes_back(tmp_path_factory, rows, separator, encoding):
    path = tmp_path_factory.mktemp("tables") / "data.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow("nwbd")
        writer.writerows([["" if one is None else one for one in row] for row in rows])
    table = read_table(path)
    for i, name in enumerate("nwbd"):
        expected = [row[i] for row in rows]
        # 8 digits are dates where nothing else can be meant, and text of all-missing columns has no form.
        if any(one is not None for one in expected):
            nan = {"n": np.nan}.get(name)
            np.testing.assert_array_equal(
                table[name] if name != "d" else table[name].tolist(), [nan if one is None else one for one in expected]
            )


def test_a_part_without_any_value_has_the_type_of_all(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    frame = arrow.table({"t": ["x", None], "d": [None, datetime.date(2024, 1, 31)], "b": [True, None]})
    parquet.write_table(frame, tmp_path / "a.parquet")
    first, second = read_in_chunks(tmp_path / "a.parquet", rows=1)
    assert (first.types["d"], second.types["t"], second["t"].tolist()) == ("date", "text", [None])


def test_a_quote_that_is_never_closed_is_told(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('a,b\n1,"x\n2,z\n3,y\n')
    with pytest.raises(ValueError, match="a quote is not closed"):
        read_table(path)


@pytest.mark.parametrize("rows", [1, 3])
def test_dates_of_eight_digits_are_dates_where_they_are_said_to_be(tmp_path, rows):
    path = tmp_path / "data.csv"
    path.write_text("일자\n" + "".join(f"2024010{i}\n" for i in range(1, 1 + rows)), "utf-8")
    dates = read_table(path, types={"일자": "date"})["일자"]
    assert dates.astype("datetime64[D]").astype(str).tolist() == [f"2024-01-0{i}" for i in range(1, 1 + rows)]


DAY_FIRST = ["13/01/2024", "25/02/2024", "05/06/2024", "05/07/2024"]


def test_parts_are_read_in_the_way_of_the_whole(tmp_path):
    path = tmp_path / "data.csv"
    rows = zip(DAY_FIRST, ["1,5", "2,25", "1,234", "7,125"], strict=True)
    path.write_text("day;size\n" + "".join(f"{day};{size}\n" for day, size in rows))
    whole, parts = read_table(path, ";"), list(read_in_chunks(path, 2, ";"))
    for name in whole.names:
        assert np.array_equal(np.concatenate([one[name] for one in parts]), whole[name]), name


def test_how_a_column_was_written_holds_for_a_single_row(tmp_path):
    table = Table({"n": [1.0]})
    assert table.forms == {"n": "number"}
    path = tmp_path / "data.csv"
    path.write_text("day,size\n" + "".join(f'{day},"1,5"\n' for day in DAY_FIRST))
    forms = read_table(path).forms
    assert forms == {"day": "date: day first", "size": "number: decimal comma"}
    alone = Table.of({"day": ["05/11/2024"], "size": ["1,234"]}).as_types(forms)
    assert alone["day"].astype("datetime64[D]").astype(str).tolist() == ["2024-11-05"]
    assert alone["size"].tolist() == [1.234]
    with pytest.raises(ValueError, match="`day`"):
        Table.of({"day": ["05/25/2024"]}).as_types({"day": forms["day"]})
    with pytest.raises(ValueError, match="`size`"):
        Table.of({"size": ["1.5"]}).as_types({"size": forms["size"]})


LONG = [str(2**60 + i) for i in range(5)]


def test_whole_numbers_that_float64_cannot_tell_apart_are_kept_as_text(write):
    path = write("account,a,b\n" + "".join(f"{one},{2**53 + 2 * i},1\n" for i, one in enumerate(LONG)) + ",,\n")
    table = read_table(path)
    assert table["account"].tolist() == [*LONG, None]
    assert table.types == {"account": "text", "a": "number", "b": "number"}
    assert "`account` holds whole numbers of so many digits" in table.notes[0]
    assert read_table(path, types={"account": "number"}).types["account"] == "number"
    assert next(read_in_chunks(path, 2))["account"].tolist() == LONG[:2]
    mixed = "n\n12345678901234567\n0.5\n"
    assert read_table(write(mixed)).types == {"n": "number"}


def test_names_are_the_same_however_their_letters_are_made_up(write):
    taken_apart, whole = unicodedata.normalize("NFD", "나이"), "나이"
    assert taken_apart != whole
    path = write(f"{taken_apart},b\n1,2\n")
    assert read_table(path).names == read_names(path) == [whole, "b"]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.GZ"])
def test_what_gzip_packed_is_read(write, name):
    sign = "\t" if "tsv" in name else ","
    path = write(gzip.compress(f"a{sign}b\n1{sign}x\n2{sign}y\n".encode()), name)
    assert read_table(path)["b"].tolist() == ["x", "y"]
    assert read_table(path).notes == []
    assert [part["a"].tolist() for part in read_in_chunks(path, 1)] == [[1.0], [2.0]]
    assert read_names(path) == ["a", "b"]


def test_what_is_packed_is_read_within_bounds(write, monkeypatch):
    monkeypatch.setattr(reading, "_SPARE", 1 << 16)
    bomb = write(gzip.compress(b"a\n" + b"1\n" * 2_000_000), "bomb.csv.gz")
    tracemalloc.start()
    for read in (read_table, lambda path: list(read_in_chunks(path, 1000))):
        with pytest.raises(ValueError, match="unpacks to more than 100 times its size"):
            read(bomb)
    assert tracemalloc.get_traced_memory()[1] < 10 * (1 << 20)
    tracemalloc.stop()
    whole = gzip.compress(b"a,b\n" + np.random.default_rng(0).bytes(500).hex().encode() + b",1\n")
    with pytest.raises(ValueError, match=r"cut.csv.gz cannot be unpacked"):
        read_table(write(whole[:-100], "cut.csv.gz"))
    with pytest.raises(ValueError, match=r"cannot be unpacked: Not a gzipped file"):
        read_table(write(b"a,b\n1,2\n", "plain.csv.gz"))
    with pytest.raises(ValueError, match=r"packed by gzip: let its name end in .gz"):
        read_table(write(whole, "packed.csv"))


def test_a_line_without_end_is_no_table(write, monkeypatch):
    monkeypatch.setattr(reading, "_LONGEST_LINE", 1000)
    monkeypatch.setattr(reading, "_SAMPLE", 100)
    with pytest.raises(ValueError, match="the line has more than 1,000 letters"):
        read_table(write("a,b\n" + "1,2\n" * 100 + "x" * 2000))


def test_korean_of_hanja_is_korean_and_pairs_of_western_letters_are_not(write):
    names = "金哲洙,李英姬,朴民秀,崔正勳,鄭美京"
    table = read_table(write(f"a,b,c,d,e\n{names}\n".encode("cp949")))
    assert table["b"].tolist() == ["李英姬"]
    german = "Müßig,Süße,Füße\n"
    assert read_table(write(f"a,b,c\n{german}".encode("cp1252")))["a"].tolist() == ["Müßig"]


def test_types_of_columns_that_are_not_there_are_refused(write):
    path = write("a,b\n1,2\n")
    for read in (read_table, lambda *args, **how: list(read_in_chunks(*args, **how))):
        with pytest.raises(ValueError, match=r"`types` names columns that are not there: 'c'. There are 'a', 'b'"):
            read(path, types={"a": "text", "c": "number"})
    np.savez(path.with_suffix(".npz"), a=np.arange(3))
    with pytest.raises(ValueError, match="not there: 'c'"):
        read_table(path.with_suffix(".npz"), types={"c": "number"})


def test_messages_stay_short_where_names_are_many_or_long(write):
    many = ",".join(f"n{i}" for i in range(100_000))
    for content, types in [(f"{many}\n", None), (f"{many}\n{'1,' * 99_999}1\n", {"x": "text"})]:
        with pytest.raises(ValueError, match="and 99,?99") as caught:
            read_table(write(content), types=types)
        assert len(str(caught.value)) < 1000
    with pytest.raises(KeyError) as caught:
        Table({f"n{i}": [1] for i in range(1000)})["x"]
    assert len(str(caught.value)) < 500
    with pytest.raises(ValueError, match="no rows") as caught:
        read_table(write("x" * 1_000_000 + ",b\n"))
    assert len(str(caught.value)) < 1000


def header(shape, descr="<f8"):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header("(100000000000,)"), "is said to have the shape"),
        (header("(2,)", "<U400000000"), "is said to have the shape"),
        (header("(1,)") + bytes(100_000_000), "decompression bomb"),
        (header("(2,)", "|O") + bytes(16), "holds no named arrays"),
        (b"nothing", "holds no named arrays"),
    ],
)
def test_npz_files_of_strangers_fill_no_memory(tmp_path, content, message):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(ValueError, match=message):
        read_table(path)
