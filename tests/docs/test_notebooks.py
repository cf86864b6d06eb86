"""A lesson is one page of plain Markdown: it reads well on a code host, on the site, and in Jupyter as a notebook."""

import importlib
import json
import re
import sys
import zipfile
from importlib import util

import pytest

from helpers.pages import lessons, notebooks, pictures

LESSONS = [(language, name) for language in lessons.LANGUAGES for name in lessons.names(language)]
PAGES = [*LESSONS, *((language, "index") for language in lessons.LANGUAGES)]
of_each_lesson = pytest.mark.parametrize(("language", "name"), LESSONS)
of_each_page = pytest.mark.parametrize(("language", "name"), PAGES)


def prose(text):
    """A page without what is fenced."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def cells(notebook, kind):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


# The page, as a code host shows it


@of_each_page
def test_a_page_is_plain_markdown(language, name):
    text = lessons.page(language, name)
    assert text.startswith("# "), "what stands above the title is shown as a table"
    assert re.findall(r"\{[\w:-]+\}`(?!\$)", text) == [], "roles: write the full name in backticks, the site links it"
    assert set(re.findall(r"^```(.*)$", text, re.M)) <= {"", "python", "c", "math"}, "directives"
    assert re.findall(r"^(?::\w|:::|\(.+\)=$)", text, re.M) == [], "options, directives and anchors"


@of_each_page
def test_formulas_are_written_so_that_code_hosts_take_nothing_in_them_for_markdown(language, name):
    """Within $…$ they take backslashes away, and do not see formulas beside a parenthesis or a letter."""
    text = prose(lessons.page(language, name))
    assert re.findall(r"\w\$`", text) == [], "a space before $`"
    without_formulas = re.sub(r"\$`[^`]+`\$", "", text)
    assert "$" not in re.sub("`[^`]+`", "", without_formulas), "write $`x`$; fence as `math` what stands alone"


@of_each_lesson
def test_what_is_unusual_about_a_cell_is_said_in_words_that_are_known(language, name):
    """Misspelt, it would be a comment like others, and the cell one that is checked."""
    assert set(re.findall(r"<!-- *(.*?) *-->", lessons.page(language, name))) <= {"not-checked", "not-run"}


@of_each_page
def test_full_names_in_prose_are_there(language, name):
    for full in re.findall(r"`(multilayer(?:\.\w+)+)`", prose(lessons.page(language, name))):
        module, _, attribute = full.rpartition(".")
        try:
            importlib.import_module(full)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), attribute), full


@pytest.mark.parametrize("language", lessons.LANGUAGES)
def test_the_list_of_lessons_has_each_by_its_title(language):
    titles = [re.match(r"# (.*)\n", lessons.page(language, name))[1] for name in lessons.names(language)]
    listed = re.findall(r"^(\d+\. )\[(.*)\]\((.*)\.md\)$", lessons.page(language, "index"), re.M)
    assert [number + title for number, title, _ in listed] == titles
    assert [name for *_, name in listed] == lessons.names(language)


# The pictures that a page shows where nothing runs


def test_the_pictures_are_those_of_the_figures_that_are_recorded():
    assert pictures.check() == []


@pytest.mark.parametrize("name", lessons.names("en"))
def test_both_languages_show_the_same_pictures_and_say_what_they_show(name):
    shown = {language: [cell.pictures for cell in lessons.cells(language, name)] for language in lessons.LANGUAGES}
    files = {
        language: [[path.replace(".ko.png", ".png") for _, path in cell] for cell in shown[language]]
        for language in shown
    }
    assert files["ko"] == files["en"]
    assert all(re.search("[가-힣]", words) for cell in shown["ko"] for words, _ in cell)
    assert all(len(words) > 10 for cell in shown["en"] for words, _ in cell)


@of_each_lesson
def test_every_picture_is_there(language, name):
    for cell in lessons.cells(language, name):
        for _, path in cell.pictures:
            assert (lessons.TUTORIAL / language / path).is_file(), path


@pytest.fixture
def tutorial(tmp_path, monkeypatch):
    """A lesson that draws one figure, and what is recorded of it."""
    monkeypatch.setattr(lessons, "TUTORIAL", tmp_path)
    monkeypatch.setattr(lessons, "RECORDED", tmp_path / "recorded")
    for folder in ("en", "ko", "recorded/en", "ran/en"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path, "# 1. One\n\n```python\nplot(1)\n```\n\n![a line](../pictures/01-1.png)\n")
    record(tmp_path, {"code": "plot(1)", "text": "", "figures": [{"title": "one"}]})
    return tmp_path


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="


def write(tutorial, text):
    (tutorial / "en" / "01-one.md").write_text(text, encoding="utf-8")
    output = {"output_type": "display_data", "data": {lessons.FIGURE: {}, "image/png": PNG}}
    ran = {"cells": [{"cell_type": "code", "source": ["plot(1)"], "metadata": {}, "outputs": [output]}]}
    (tutorial / "ran" / "en" / "01-one.ipynb").write_text(json.dumps(ran))


def record(tutorial, *cells):
    (tutorial / "recorded" / "en" / "01-one.json").write_text(json.dumps(cells))


def test_a_picture_is_made_where_figures_are_recorded_and_stays_as_long_as_they_do(tutorial):
    assert pictures.check() == ["en/01-one, code cell 1: 01-1.png is not of the figure that is recorded"]
    assert [path.name for path in pictures.record(tutorial / "ran")] == ["01-1.png"]
    assert pictures.check() == []
    assert pictures.record(tutorial / "ran") == []


def test_a_picture_of_a_figure_that_is_another_one_now_is_noticed_and_made_anew(tutorial):
    pictures.record(tutorial / "ran")
    record(tutorial, {"code": "plot(1)", "text": "", "figures": [{"title": "two"}]})
    assert pictures.check() == ["en/01-one, code cell 1: 01-1.png is not of the figure that is recorded"]
    assert len(pictures.record(tutorial / "ran")) == 1
    assert pictures.check() == []


def test_a_figure_that_no_picture_shows_is_noticed(tutorial):
    pictures.record(tutorial / "ran")
    write(tutorial, "# 1. One\n\n```python\nplot(1)\n```\n")
    missing, left_over = pictures.check()
    assert "1 figures and 0 pictures; ![what it shows](../pictures/01-….png) below it shows one" in missing
    assert left_over == "01-1.png: no lesson shows it"
    pictures.record(tutorial / "ran")
    assert not (tutorial / "pictures" / "01-1.png").exists()


def test_pictures_that_take_much_room_are_noticed(tutorial, monkeypatch):
    pictures.record(tutorial / "ran")
    monkeypatch.setattr(pictures, "MOST", 10)
    (complaint,) = pictures.check()
    assert re.fullmatch(r"the pictures take \d+ bytes, more than 10", complaint)


# What the site reads

PAGE = """\
# 1. One

It is $`x_1`$, or

```math
x \\\\ y
```

<!-- not-checked -->
```python
plot(x)
```

![a line](../pictures/01-1.png)

<!-- not-run -->
```python
plot(y)
```

See [lesson 2](02-two.md), [the design](../../design.md) and [Python](https://python.org).
"""


def test_the_site_runs_what_is_fenced_as_python_and_draws_the_pictures_itself():
    text = notebooks.for_site(PAGE)
    head, cell, rest = re.fullmatch(r"(---.*?)```\{code-cell\} python\n(.*?)^```\n(.*)", text, re.M | re.S).groups()
    assert "file_format: mystnb" in head
    assert "It is $x_1$, or\n\n$$\nx \\\\ y\n$$\n" in head
    options, code = re.fullmatch(r"---\n(.*)\n---\n(.*)", cell, re.S).groups()
    assert json.loads(options) == {"tags": ["not-checked"], "mystnb": {"image": {"alt": "a line"}}}
    assert code == "plot(x)\n"
    assert "```python\nplot(y)\n```" in rest
    assert "01-1.png" not in text


def test_the_sites_contents_are_the_list_of_lessons():
    text = "# Lessons\n\nAll:\n\n1. [One](01-one.md)\n2. [Two](02-two.md)\n"
    assert notebooks.contents_for_site(text) == (
        "# Lessons\n\nAll:\n\n```{toctree}\n:maxdepth: 1\n\n01-one\n02-two\n```\n"
    )


# The notebooks that readers download


@of_each_lesson
def test_a_notebook_has_the_cells_that_the_site_runs_and_one_that_installs(language, name):
    """So what the site's build shows, which runs them where nothing else is installed, it shows of notebooks."""
    install, *code = cells(notebooks.notebook(language, name), "code")
    assert "pip install multilayer" in install
    assert code == [cell.code.rstrip("\n") for cell in lessons.cells(language, name)]


@pytest.mark.parametrize("there", [True, False], ids=["installed", "missing"])
def test_the_first_cell_installs_the_library_only_where_it_is_missing(monkeypatch, there):
    install = cells(notebooks.notebook("en", "01-perceptron"), "code")[0]
    ran = []
    monkeypatch.setattr(util, "find_spec", lambda name: there or None)
    exec(install.replace("%pip install multilayer", "ran.append('pip')"), {"ran": ran})
    assert ran == ([] if there else ["pip"])


@of_each_lesson
def test_a_notebooks_markdown_is_what_jupyter_shows(language, name):
    text = "\n\n".join(cells(notebooks.notebook(language, name), "markdown"))
    assert text.startswith("# ")
    for unknown in ("$`", "```math", "<!--", "```{", "../"):
        assert unknown not in text
    assert text.count("<details>") == text.count("</details>")
    for details in cells(notebooks.notebook(language, name), "markdown"):
        assert details.count("<details>") == details.count("</details>"), "an answer ends in the cell where it begins"


@of_each_lesson
def test_a_notebook_links_to_other_notebooks_and_to_the_web(language, name):
    text = "\n".join(cells(notebooks.notebook(language, name), "markdown"))
    for target in re.findall(r"\]\(([^)]*)\)", text):
        assert target.startswith("https://") or target.removesuffix(".ipynb") in lessons.names(language), target


def test_a_link_to_a_page_of_the_site_is_words_in_a_notebook():
    assert notebooks._markdown(PAGE).endswith(
        "See [lesson 2](02-two.ipynb), the design and [Python](https://python.org)."
    )


@of_each_lesson
def test_a_notebook_asks_for_the_kernel_that_everybody_has_and_has_not_run(language, name):
    notebook = notebooks.notebook(language, name)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])


def test_the_same_pages_give_the_same_files(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        notebooks.write("ko", tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [*(f"{name}.ipynb" for name in lessons.names("ko")), "lessons.zip"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "lessons.zip") as together:
        assert together.namelist() == files[:-1]


def test_a_lesson_imports_what_the_library_brings_and_nothing_else():
    """Held here in a moment; that it is enough, the docs' build shows."""
    brought = {"multilayer", "numpy", "matplotlib", "threadpoolctl", "IPython", *sys.stdlib_module_names}
    for language, name in LESSONS:
        for cell in lessons.cells(language, name):
            imported = re.findall(r"^\s*(?:import|from) (\w+)", re.sub(r'""".*?"""', "", cell.code, flags=re.S), re.M)
            assert set(imported) <= brought, f"{language}/{name}"
