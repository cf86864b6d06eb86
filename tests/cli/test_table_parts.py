"""`multilayer train` on tables that memory cannot hold."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from helpers.commands import call, rows
from multilayer.cli import table_parts
from multilayer.cli.table_options import bytes_in

QUICK = ["--seed", "1", "--members", "4", "--budget", "1.5"]
ROWS = 3000


def shops(count=ROWS, seed=0):
    """Sales by day and city, in the order of the target, so that no part is like the whole."""
    draw = np.random.default_rng(seed)
    price, city = draw.normal(size=count).round(3), draw.choice(["Seoul", "Busan", "Jeju"], count)
    day = np.datetime64("2024-01-01") + draw.integers(0, 300, count)
    value = 2 * np.sin(price) + (city == "Seoul") + (day > np.datetime64("2024-06-01")) + 0.2 * draw.normal(size=count)
    order = np.argsort(value)
    columns = {"shop": [f"{i:06d}" for i in range(count)], "price": price, "city": city, "day": day.astype(str)}
    columns |= {"owner": draw.integers(0, 60, count), "value": value.round(3)}
    columns["sold"] = np.where(value > 0.8, "Yes", "no")
    return {name: np.asarray(column)[order].tolist() for name, column in columns.items()}


def write(path, columns):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tables") / "shops.csv", shops())


@pytest.fixture
def little(monkeypatch):
    """Has every table be trained on in parts, of few rows."""
    monkeypatch.setattr(table_parts, "memory_for", lambda _: 2**20)


def trained(data, tmp_path, *arguments):
    out, told = call("train", data, *QUICK, *arguments, "--output", tmp_path / "run", "--json")
    return json.loads(out), told


def lines_measured(tmp_path):
    return [int(one["line"]) for one in rows((tmp_path / "run" / "predictions.csv").read_text())]


def test_a_large_table_is_trained_on_in_the_memory_that_is_allowed(tmp_path):
    data = write(tmp_path / "large.csv", shops(200_000))
    allowed = 190_000_000
    command = [sys.executable, "-m", "multilayer", "train", str(data), "--target", "sold", "--drop", "value", *QUICK]
    done = subprocess.run(
        [*command, "--memory", "190MB", "--output", str(tmp_path / "run"), "--json"],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "in parts of" in done.stderr
    assert result["rows"] == 200_000
    assert result["peak_memory"] is None or result["peak_memory"] < allowed
    assert result["figures"]["network"]["auc"] > 0.93


def test_rows_in_the_order_of_the_target_are_learned_from(data, tmp_path, little):
    result, told = trained(data, tmp_path, "--target", "sold", "--drop", "value")
    assert result["rows"] == ROWS
    assert result["classes"] == ["Yes", "no"]
    assert result["figures"]["network"]["auc"] > result["figures"]["linear"]["auc"] - 0.02 > 0.9
    assert {one["name"]: one["kind"] for one in result["columns"]} == {
        "shop": "identifier", "price": "number", "city": "category", "day": "date", "owner": "number",
    }  # fmt: skip
    assert {one["name"] for one in result["importance"][:2]} == {"price", "city"} or result["importance"]
    assert "are those of a sample of 1,000 of 3,000 rows" in " ".join(told.split())
    assert "sample of 1,000 of 3,000 rows" in (tmp_path / "run" / "report.html").read_text()
    lines = rows((tmp_path / "run" / "predictions.csv").read_text())
    assert list(lines[0]) == ["line", "sold", "predicted sold", "probability Yes", "probability no"]
    places = lines_measured(tmp_path)
    assert len(lines) == result["measured_rows"] > 100
    assert places == sorted(places)
    assert places[-1] > 2000


def test_what_it_made_predicts_and_the_same_options_make_it_again(data, tmp_path, little):
    trained(data, tmp_path, "--target", "sold", "--drop", "value")
    out, _ = call("predict", tmp_path / "run", data)
    assert len(rows(out)) == ROWS
    call("evaluate", tmp_path / "run", data)
    again, _ = call("train", "--options", tmp_path / "run" / "run.json", "--output", tmp_path / "again", "--json")
    assert json.loads(again)["rows"] == ROWS


def test_values_are_predicted_and_what_comes_last_is_measured_by(data, tmp_path, little):
    result, _ = trained(data, tmp_path, "--target", "value", "--drop", "sold", "--time", "day")
    assert result["figures"]["network"]["r2"] > 0.85
    assert "measured by what comes last" in result["split"]
    lines = lines_measured(tmp_path)
    days = shops()["day"]
    assert min(days[line - 2] for line in lines) > "2024-08-01"


def test_whole_groups_are_held_out(data, tmp_path, little):
    result, _ = trained(data, tmp_path, "--target", "sold", "--drop", "value", "--group", "owner")
    lines = lines_measured(tmp_path)
    owners = shops()["owner"]
    assert 3 < len({owners[line - 2] for line in lines}) < 30
    assert "by whole groups of `owner`" in result["split"]


def test_a_class_that_only_the_last_rows_have_is_one(tmp_path, little):
    columns = shops()
    columns["sold"][-3:] = ["later"] * 3
    columns["sold"][:5] = [""] * 5
    result, _ = trained(write(tmp_path / "a.csv", columns), tmp_path, "--target", "sold", "--drop", "value")
    assert result["classes"] == ["Yes", "later", "no"]
    assert result["rows"] == ROWS - 5
    notes = " ".join(result["notes"])
    assert "5 rows without a value of `sold` were left out" in notes
    assert "The class 'later' has 3 of 2,995 rows" in notes


def test_parquet_is_read_in_parts(data, tmp_path, little):
    pyarrow = pytest.importorskip("pyarrow.csv")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.read_csv(data), tmp_path / "shops.parquet")
    result, _ = trained(tmp_path / "shops.parquet", tmp_path, "--target", "sold", "--drop", "value")
    assert result["figures"]["network"]["auc"] > 0.9


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--target", "sold", "--memory", "much"], 2, "expected a size, such as 512MB or 2GB"),
        (["--target", "sold", "--memory", "1MB"], 1, "1 MB are too little. Expected at least"),
        (["--memory", "9GB"], 1, "Which column is to be predicted"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(data, tmp_path, arguments, code, message):
    _, told = call("train", data, *arguments, "--output", tmp_path / "run", code=code)
    assert message in " ".join(told.split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 1, "Which column is to be predicted"),
        (["--target", "gone"], 1, "there is no column 'gone'"),
        (["--target", "sold", "--recipe", "realmlp-td"], 1, "Only the recipe 'default' learns in parts"),
        (["--target", "sold", "--group", "owner", "--time", "day"], 1, "Give one of them"),
        (["--target", "city", "--task", "regression"], 1, "holds text"),
    ],
)
def test_errors_are_those_of_a_table_in_memory(data, tmp_path, little, arguments, code, message):
    _, told = call("train", data, *arguments, "--output", tmp_path / "run", code=code)
    assert message in " ".join(told.split())


def test_sizes_are_read():
    assert [bytes_in(one) for one in ("10k", "1.5GB", "2 GiB", "300mb")] == [10**4, 15 * 10**8, 2 * 10**9, 3 * 10**8]
    for one in ("", "GB", "-1GB", "1", "1e400GB", "5TB5"):
        with pytest.raises(ValueError, match="expected a size"):
            bytes_in(one)
