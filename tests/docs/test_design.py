"""The guides through the house name what is there, and its picture shows the house as it is."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ["docs/design.md", "CONTRIBUTING.md", "SECURITY.md", "docs/reliability.md", "docs/performance.md"]
# Where a guide need not say in full where something lies.
FOLDERS = ["", "src/multilayer", "tests", "docs"]
ELSEWHERE = ("build/", "mnist/", "../shared/")  # made by commands, or what a user has


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house = load(ROOT / "docs" / "house.py")


def paths_in(text):
    """What stands in backticks and is a path: a file with its ending, or something with a slash."""
    quoted = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    return [name for name in quoted if re.fullmatch(r"[\w./-]+(\.(py|md|c|h|svg|css|toml)|/[\w.-]*)", name)]


def modules_in(text):
    """What stands in backticks and is a module of a wing behind an underscore, or named in full, with what is in it."""
    return re.findall(r"(?<!`)`((?:multilayer\.|_[a-z]+\.)[\w.]+)(?:\([^`]*\))?`(?!`)", text)


def is_there(name):
    if name.startswith(ELSEWHERE):
        return True
    if "/" in name:
        return any((ROOT / folder / name).exists() for folder in FOLDERS)
    return (ROOT / name).exists() or any(any((ROOT / folder).rglob(name)) for folder in ("src", "tests", "docs"))


def module_is_there(name):
    """Whether the longest part of the name that is a module or a package holds the rest as a word of its code."""
    parts = name.removeprefix("multilayer.").split(".")
    for end in range(len(parts), 0, -1):
        place = ROOT / "src" / "multilayer" / "/".join(parts[:end])
        files = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()]
        if files:
            return all(re.search(rf"\b{rest}\b", files[0].read_text("utf-8")) for rest in parts[end:])
    return False


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_and_module_that_a_guide_names_is_there(guide):
    text = re.sub("```.*?```", "", (ROOT / guide).read_text("utf-8"), flags=re.S)
    paths, modules = paths_in(text), modules_in(text)
    assert paths
    assert [name for name in paths if not is_there(name)] == []
    assert [name for name in modules if not module_is_there(name)] == []


def test_every_station_on_the_way_of_a_batch_is_there():
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    stations = re.findall(r"^\| [\w ]+ \| `([\w/]+\.py)`, ((?:`[\w.]+`(?:, )?)+) \|", text, re.M)
    assert len(stations) > 10
    for path, names in stations:
        code = (ROOT / "src" / "multilayer" / path).read_text("utf-8")
        for name in re.findall(r"\w+", names):
            assert re.search(rf"(\bdef |\bclass |^){name}\b", code, re.M), f"{path} has no {name}"


def test_a_path_that_is_not_there_is_noticed():
    text = "`models/base.py`, `models/nowhere.py`, `nowhere.py`, `_core.arena`, `_core.arena.Nothing`, `_nowhere.room`"
    assert [name for name in paths_in(text) if not is_there(name)] == ["models/nowhere.py", "nowhere.py"]
    assert [name for name in modules_in(text) if not module_is_there(name)] == ["_core.arena.Nothing", "_nowhere.room"]


def test_the_picture_shows_the_house_as_it_is():
    assert house.differences() == [], "Draw it anew: python docs/house.py"


def test_a_picture_of_another_house_is_noticed(monkeypatch, tmp_path):
    picture = house.PICTURE.read_text("utf-8")
    monkeypatch.setattr(house, "PICTURE", tmp_path / "house.svg")
    house.PICTURE.write_text(picture.replace("saving -&gt; models\n", "").replace("models: 4", "models: 9"), "utf-8")
    missing, size = house.differences()
    assert missing == "it does not show: saving -> models"
    assert size.startswith("models has 4")
    house.PICTURE.unlink()
    assert "it does not show: floor 0: __main__" in house.differences()


def test_every_wing_is_drawn_on_the_floor_that_the_contract_gives_it():
    drawn = [{name for box in floor for name in box} for floor in house.plan().floors]
    wings = {house.wing(name).removeprefix("multilayer.") for name in house.modules() if name != "multilayer"}
    assert set().union(*drawn) == wings
