"""The command line on tables: from a file to a report, and to predictions."""

import csv
import json
import re
import shutil
import unicodedata
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from helpers.commands import call, rows
from multilayer import tabular
from multilayer.cli import report_page, table_printing
from multilayer.cli.table_options import types_in

QUICK = ["--seed", "1", "--members", "2"]


def write(path, names, columns, separator=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(names)
        writer.writerows(zip(*columns, strict=True))
    return path


def customers(count=160, seed=0):
    """Customers with categories, dates and missing numbers; whether they stay hangs on calls and plan."""
    draw = np.random.default_rng(seed)
    calls = draw.poisson(3, count)
    plan = draw.choice(["basic", "plus"], count)
    churn = np.where(calls + 2 * (plan == "basic") + draw.normal(0, 0.7, count) > 4, "yes", "no")
    age = [str(one) if one % 11 else "" for one in draw.integers(18, 80, count)]
    since = (np.datetime64("2020-01-01") + draw.integers(0, 900, count)).astype(str)
    return {
        "customer_id": [f"{i:05d}" for i in range(count)],
        "age": age,
        "calls": calls.tolist(),
        "plan": plan.tolist(),
        "since": since.tolist(),
        "country": ["KR"] * count,
        "churn": churn.tolist(),
    }


def table(path, columns, **how):
    return write(path, list(columns), columns.values(), **how)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return table(tmp_path_factory.mktemp("tables") / "churn.csv", customers())


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """The folder of a run, what it printed, and what it told on the way."""
    folder = tmp_path_factory.mktemp("runs") / "churn"
    return folder, *call("train", data, "--target", "churn", *QUICK, "--output", folder)


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    """The file and the folder of a run that predicts values, in three folds."""
    draw = np.random.default_rng(0)
    size, district = draw.uniform(30, 120, 150).round(1), draw.choice(list("ABC"), 150)
    price = (4000 * size + 50_000 * (district == "A")).round()
    path = tmp_path_factory.mktemp("tables") / "flats.csv"
    texts = [f"{one:.1f}".replace(".", ",") for one in size]
    columns = {"size": texts, "district": district, "built": ["2001년 3월 1일", "1999.12.31"] * 75, "price": price}
    table(path, columns, separator=";", encoding="cp949")
    folder = path.parent / "run"
    return path, folder, *call("train", path, "--target", "price", "--folds", 3, *QUICK, "--json", "--output", folder)


# --- train ---


def test_it_says_what_it_took_each_column_for(run):
    _, _, stderr = run
    for text in (
        "Data: churn.csv, 160 rows, 6 columns to predict from",
        "customer_id identifier a different value in every row",
        "plan category text with 2 different values",
        "since date dates from 2020-",
        "country constant 'KR' in every row",
        "Task: classification: `churn` has two values.",
        "`customer_id` is left out: it is an identifier",
    ):
        assert text in stderr


def test_it_prints_figures_confusion_and_importance(run):
    _, stdout, _ = run
    for text in (
        "Trained on 128 rows, measured on 32 others, chosen by chance, each class alike.",
        "accuracy AUC log loss F1",
        "a linear model",
        "a constant",
        "true ↓ predicted → no yes",
        "log loss when shuffled",
    ):
        assert text in stdout
    accuracy = float(re.search(r"this network +(\S+)", stdout)[1])
    assert accuracy > 0.8


def test_it_leaves_a_run(run):
    folder, stdout, _ = run
    names = {path.name for path in folder.iterdir()}
    pictures = {"confusion.png", "calibration.png", "importance.png"}
    assert names == {"model.npz", "report.html", "result.json", "predictions.csv", "run.json", *pictures}
    assert all(name in stdout for name in names)
    for name in pictures:
        with Image.open(folder / name) as image:
            image.verify()
    found = rows((folder / "predictions.csv").read_text())
    assert len(found) == 32
    assert list(found[0]) == ["line", "churn", "predicted churn", "probability no", "probability yes"]
    right = np.mean([one["churn"] == one["predicted churn"] for one in found])
    result = json.loads((folder / "result.json").read_text())
    assert result["figures"]["network"]["accuracy"] == pytest.approx(right)
    assert np.sum(result["confusion"]) == 32
    assert {one["name"]: one["kind"] for one in result["columns"]}["since"] == "date"
    assert result["importance"][0]["name"] in ("calls", "plan")


def test_the_model_file_is_an_estimator_of_the_library(run):
    estimator = tabular.load(run[0] / "model.npz")
    assert estimator.classes_.tolist() == ["no", "yes"]


class Page(HTMLParser):
    """Tags, attributes and texts of a page, whose tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_report_is_one_page_that_needs_nothing_else(run, regression):
    for folder in (run[0], regression[1]):
        text = (folder / "report.html").read_text(encoding="utf-8")
        page = Page(text)
        names = {name for _, attributes in page.tags for name in attributes}
        assert not names & {"src", "href", "onclick"}
        assert "url(" not in text
        assert "<script" not in text
        assert "prefers-color-scheme:dark" in text
        assert all(attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg")
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        labels = [attributes["aria-labelledby"] for tag, attributes in page.tags if tag == "table"]
        assert labels
        assert set(labels) == set(ids)
        assert {attributes["scope"] for tag, attributes in page.tags if tag == "th"} == {"row", "col"}


def test_what_stands_in_a_file_is_text_in_the_report_and_on_the_screen(tmp_path):
    columns = customers(60)
    columns["<script>x</script>\x1b[2J"] = columns.pop("plan")
    columns["churn"][3] = ""
    path = table(tmp_path / "a.csv", columns)
    stdout, stderr = call("train", path, "--target", "churn", *QUICK, "--output", tmp_path / "run")
    assert "\x1b[2J" not in stdout + stderr
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "1 rows without a value of `churn` were left out: line 5." in stderr


def test_values_are_measured_in_folds(regression):
    path, folder, stdout, stderr = regression
    result = json.loads(stdout)
    assert result["task"] == "regression"
    assert "different whole numbers" in result["reason"]
    assert (result["folds"], result["measured_rows"], result["rows"]) == (3, 150, 150)
    assert {"rmse", "mae", "r2"} == set(result["figures"]["linear"]) == set(result["deviations"])
    assert result["figures"]["network"]["r2"] > 0.5 > result["figures"]["constant"]["r2"]
    assert any("cp949" in one for one in result["notes"])
    assert any("semicolons" in one for one in result["notes"])
    kinds = {one["name"]: one["kind"] for one in result["columns"]}
    assert kinds == {"size": "number", "district": "category", "built": "date"}
    assert (folder / "residuals.png").exists()
    assert "Fold 3 of 3" in stderr
    assert len(rows((folder / "predictions.csv").read_text())) == 150
    assert path.name in (folder / "report.html").read_text(encoding="utf-8")


def test_a_run_is_repeated_from_its_options(run, data, tmp_path):
    folder, *_ = run
    again = call("train", "--options", folder / "run.json", "--json", "--quiet", "--output", tmp_path / "again")
    found = json.loads(again[0])
    assert found["options"] == json.loads((folder / "run.json").read_text())["options"]
    assert found["options"]["table"] == str(data)
    assert again[1] == ""


def test_rows_are_split_by_group_and_by_time(tmp_path):
    columns = customers(60)
    columns["household"] = [f"h{i // 5}" for i in range(60)]
    path = table(tmp_path / "a.csv", columns)
    for option in (["--group", "household"], ["--time", "since"]):
        folder = tmp_path / option[1]
        stdout, _ = call(
            "train", path, "--target", "churn", *QUICK, *option, "--drop", "age", "--json", "--output", folder
        )
        result = json.loads(stdout)
        assert f"`{option[1]}`" in result["split"]
        assert "age" not in [one["name"] for one in result["columns"]]
        lines = [int(one["line"]) - 2 for one in rows((folder / "predictions.csv").read_text())]
        others = sorted(set(range(60)) - set(lines))
        if option[1] == "household":
            assert not {columns["household"][i] for i in lines} & {columns["household"][i] for i in others}
        else:
            assert min(columns["since"][i] for i in lines) > max(columns["since"][i] for i in others)
    call("train", path, "--target", "churn", "--group", "household", "--time", "since", code=1)


def test_classes_that_are_numbers_stay_what_they_were(tmp_path):
    draw = np.random.default_rng(0)
    grade = draw.integers(1, 4, 90)
    path = table(tmp_path / "a.csv", {"x": (grade + draw.normal(0, 0.2, 90)).round(3), "grade": grade})
    stdout, _ = call("train", path, "--target", "grade", *QUICK, "--json", "--output", tmp_path / "run")
    result = json.loads(stdout)
    assert result["classes"] == ["1", "2", "3"]
    assert "3 different whole numbers; --task regression" in result["reason"]
    stdout, _ = call("predict", tmp_path / "run", path)
    assert {one["grade"] for one in rows(stdout)} == {"1", "2", "3"}


def test_parquet_feather_and_npz(run, data, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    feather, parquet = pytest.importorskip("pyarrow.feather"), pytest.importorskip("pyarrow.parquet")
    columns = customers()
    columns["age"] = [float(one) if one else np.nan for one in columns["age"]]
    frame = arrow.table(columns)
    parquet.write_table(frame, tmp_path / "a.parquet")
    feather.write_feather(frame, str(tmp_path / "a.feather"))
    np.savez(tmp_path / "a.npz", **{name: np.asarray(column) for name, column in columns.items()})
    expected = rows(call("predict", run[0], data)[0])
    assert expected[3]["customer_id"] == "00003"
    for name in ("a.parquet", "a.feather", "a.npz"):
        assert rows(call("predict", run[0], tmp_path / name)[0]) == expected


# --- What cannot be ---


@pytest.mark.parametrize(
    ("arguments", "change", "message"),
    [
        ([], {}, "Which column is to be predicted? Name it by --target. The last is 'churn'"),
        (["--target", "Churn"], {}, "there is no column 'Churn'. Did you mean 'churn'? Expected one of 'customer_id'"),
        (["--target", "country"], {}, "The target 'country' has one value alone, 'KR', in all 40 rows"),
        (["--target", "customer_id", "--types", "customer_id=text"], {}, "has 40 different values in 40 rows"),
        (["--target", "since"], {}, "The target 'since' holds dates"),
        (["--target", "churn", "--task", "regression"], {"churn": ["a", "b"] * 20}, "holds text, such as 'a'"),
        (["--target", "churn"], {"churn": [""] * 40}, "The target 'churn' is missing in every row"),
        (["--target", "churn", "--group", "house"], {}, "--group: there is no column 'house'"),
        (["--target", "churn", "--time", "plan"], {}, "--time: 'plan' holds text"),
        (["--target", "churn", "--drop", "age,calls,plan,since"], {}, "There is nothing to predict 'churn' from"),
        (["--target", "churn"], {"age": [*range(39), "inf"]}, "`age` holds infinite values, in line 41"),
        (["--target", "churn"], {"age": [*range(39), "old"]}, "`age` holds numbers, but for 1 of 40 values"),
        (["--target", "churn", "--encoding", "ascii"], {"plan": ["é", "b"] * 20}, "cannot be read as ascii"),
    ],
)
def test_what_cannot_be_learned_is_said(tmp_path, arguments, change, message):
    path = table(tmp_path / "a.csv", customers(40) | change)
    _, stderr = call("train", path, *arguments, *QUICK, "--output", tmp_path / "run", code=1)
    assert message in stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.csv", "--epochs", "3"], "--epochs: for digits, not for a table."),
        (["--target", "churn"], "--target: for a table, and there is none"),
        (["a.csv", "--types", "age=numeral"], "expected COLUMN=TYPE"),
        (["a.csv", "--task", "ranking"], "expected classification or regression"),
        (["a.csv", "--validation", "1.5"], "expected a share of the rows"),
        (["a.csv", "--budget", "0"], "expected seconds"),
        (["a.csv", "--separator", "ab"], "expected one sign"),
    ],
)
def test_options_that_cannot_be_are_refused(arguments, message):
    assert message in call("train", *arguments, code=2)[1]


def test_what_chooses_the_rows_twice_is_said_before_the_file_is_read(tmp_path):
    arguments = ("--target", "churn", "--group", "city", "--time", "day", "--output", tmp_path / "run")
    assert "choose the rows in two ways" in call("train", tmp_path / "none.csv", *arguments, code=1)[1]


def test_a_run_on_a_table_is_not_gone_on_with(run):
    assert "run on a table" in call("train", "--resume", run[0], code=1)[1]


# --- predict, evaluate, inspect, export ---


def test_predictions_keep_order_and_identifiers(run, tmp_path):
    new = customers(50, seed=1)
    del new["churn"]
    new["customer_id"] = new["customer_id"][::-1]
    stdout, stderr = call("predict", run[0], table(tmp_path / "new.csv", new), "-o", tmp_path / "out.csv")
    assert "50 rows predicted" in stdout
    assert stderr == ""
    found = rows((tmp_path / "out.csv").read_text())
    assert [one["customer_id"] for one in found] == new["customer_id"]
    assert list(found[0]) == ["customer_id", "churn", "probability no", "probability yes"]
    estimator = tabular.load(run[0] / "model.npz")
    expected = estimator.predict(tabular.read_table(tmp_path / "new.csv").as_types(estimator.preprocessing_.forms))
    assert [one["churn"] for one in found] == expected.tolist()
    found = json.loads(call("predict", run[0], tmp_path / "new.csv", "--json")[0])["rows"]
    assert [one["churn"] for one in found] == expected.tolist()


def test_new_data_may_differ_and_it_is_said(run, tmp_path):
    new = customers(30, seed=1)
    new["plan"] = ["gold", "gold", *new["plan"][2:]]
    new["weather"] = ["fine"] * 30
    _, stderr = call("predict", run[0], table(tmp_path / "new.csv", new))
    assert "Columns that are not predicted from are ignored: 'weather'." in stderr
    assert "`plan` holds 'gold', which training did not have, in 2 rows." in stderr
    del new["calls"], new["plan"]
    _, stderr = call("predict", run[0], table(tmp_path / "new.csv", new), code=1)
    assert "The table lacks 2 of the 4 columns that are predicted from: 'calls', 'plan'." in stderr
    new = customers(30, seed=1)
    new["calls"] = ["many", *new["calls"][1:]]
    _, stderr = call("predict", run[0], table(tmp_path / "new.csv", new), "-o", tmp_path / "out.csv", code=1)
    assert "The column `calls` holds numbers, but for 1 of 30 values ('many'), in line 2." in stderr
    assert not (tmp_path / "out.csv").exists()


def test_evaluate_measures_on_other_rows(run, tmp_path):
    new = table(tmp_path / "new.csv", customers(100, seed=1))
    stdout, _ = call("evaluate", run[0], new)
    assert "new.csv: 100 rows" in stdout
    assert "this network" in stdout
    found = json.loads(call("evaluate", run[0], new, "--json")[0])
    assert found["figures"]["accuracy"] > 0.75
    assert np.sum(found["confusion"]) == 100
    columns = customers(30)
    columns["churn"][1] = "maybe"
    _, stderr = call("evaluate", run[0], table(tmp_path / "other.csv", columns), code=1)
    assert "holds classes that training did not have: 'maybe', in line 3. Expected 'no', 'yes'." in stderr
    del columns["churn"]
    _, stderr = call("evaluate", run[0], table(tmp_path / "other.csv", columns), code=1)
    assert "The table lacks the target 'churn'." in stderr
    assert "name a table to measure by" in call("evaluate", run[0], code=2)[1]


def test_values_are_predicted_and_measured(regression, tmp_path):
    path, folder, *_ = regression
    found = rows(call("predict", folder, path)[0])
    assert list(found[0]) == ["price"]
    figures = json.loads(call("evaluate", folder, path, "--json")[0])["figures"]
    assert figures["r2"] > 0.5


def test_inspect_shows_columns_and_figures(run):
    stdout, _ = call("inspect", run[0])
    for text in ("Predicts 'churn': classification of no, yes", "plan category", "On rows that were not trained on:"):
        assert text in stdout
    found = json.loads(call("inspect", run[0], "--json")[0])
    assert found["table"]["classes"] == ["no", "yes"]
    assert found["table"]["figures"]["network"]["accuracy"] > 0.5
    assert found["layers"]


@pytest.mark.parametrize(
    ("name", "title"), [("net.c", "a file of C"), ("net.html", "a page"), ("net.py", "a Python file")]
)
def test_export_to_what_knows_no_tables_says_what_does(name, title, run, tmp_path):
    message = call("export", run[0], tmp_path / name, code=1)[1]
    assert f"A network for tables is not written as {title}." in message
    assert "name a file that ends in '.onnx'" in message
    assert ("`multilayer serve` opens a page for it" in message) == (name == "net.html")
    assert not (tmp_path / name).exists()


def test_export_writes_onnx(run, tmp_path):
    pytest.importorskip("onnx")
    stdout, _ = call("export", run[0], tmp_path / "net.onnx")
    assert f"Written: {tmp_path / 'net.onnx'}" in str(stdout).replace("\n", "")
    assert (tmp_path / "net.onnx").stat().st_size > 1000


def test_options_of_pictures_are_not_for_tables(run, data):
    assert "network for tables: name one table" in call("predict", run[0], data, "--invert", code=2)[1]


# --- Parts ---


def test_types_are_read():
    assert types_in("a=text, b c=number") == {"a": "text", "b c": "number"}


def test_ticks_are_round():
    assert report_page.ticks(3, 47) == [10.0, 20.0, 30.0, 40.0]
    assert report_page.ticks(-1, 1) == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_the_best_figure_is_the_highest_or_the_lowest():
    assert table_printing.best_of([0.1, 0.2, float("nan")], "accuracy") == 0.2
    assert table_printing.best_of([0.1, 0.2], "rmse") == 0.1


def test_cells_that_a_spreadsheet_would_compute_are_written_as_text(tmp_path):
    columns = customers()
    columns["customer_id"][:3] = ["=1+2", "-5", "@sum"]
    columns["churn"] = ["+yes" if one == "yes" else "no" for one in columns["churn"]]
    data = table(tmp_path / "a.csv", columns)
    call("train", data, "--target", "churn", *QUICK, "--budget", "1", "--output", tmp_path / "run")
    call("predict", tmp_path / "run", data, "--output", tmp_path / "out.csv")
    found = rows((tmp_path / "out.csv").read_text())
    assert [one["customer_id"] for one in found[:3]] == ["'=1+2", "-5", "'@sum"]
    assert {one["churn"] for one in found} == {"'+yes", "no"}
    measured = rows((tmp_path / "run" / "predictions.csv").read_text())
    assert {one["churn"] for one in measured} == {"'+yes", "no"}


def test_names_may_be_typed_with_letters_taken_apart(tmp_path):
    name = unicodedata.normalize("NFD", "이탈")
    columns = {unicodedata.normalize("NFC", "이탈") if one == "churn" else one: x for one, x in customers().items()}
    data = table(tmp_path / "a.csv", columns)
    call("train", data, "--target", name, *QUICK, "--budget", "1", "--output", tmp_path / "run")
    call(
        "evaluate",
        tmp_path / "run",
        table(tmp_path / "b.csv", {name if one == "이탈" else one: x for one, x in columns.items()}),
    )


def test_a_run_file_of_other_types_is_refused(run, data, tmp_path):
    folder = shutil.copytree(run[0], tmp_path / "run")
    content = json.loads((folder / "run.json").read_text())
    for name, value in [("separator", [1]), ("target", 5), ("encoding", {"a": 1})]:
        changed = {**content, "options": {**content["options"], name: value}}
        (folder / "run.json").write_text(json.dumps(changed))
        for command in (["predict", folder, data], ["evaluate", folder, data], ["inspect", folder]):
            _, told = call(*command, code=1)
            assert f"run.json is damaged: '{name}' of its options are no text" in told
