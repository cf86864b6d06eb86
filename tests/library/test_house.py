"""Imports run one way: computed from the syntax trees, with those for type checking and those within functions."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import multilayer
from helpers.paths import CHECKOUT

HOUSE = Path(multilayer.__file__).parent
CONTRACT = CHECKOUT / ".importlinter"


class Import(NamedTuple):
    importer: str
    imported: str
    in_function: bool


@cache
def modules() -> dict[str, Path]:
    names = {path: ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts) for path in HOUSE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imported_by(node: ast.AST, known: set[str]) -> Iterator[str]:
    """The modules that an import statement names; `from package import name` names a module where there is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "the house names its rooms in full"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            name = inner if inner in known else node.module
            if name in known:
                yield name


def found_in(tree: ast.AST, importer: str, known: set[str], in_function: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        yield from (Import(importer, name, in_function) for name in imported_by(node, known))
        yield from found_in(node, importer, known, in_function or isinstance(node, (ast.FunctionDef, ast.Lambda)))


@cache
def imports() -> list[Import]:
    known = set(modules())
    return [one for name, path in modules().items() for one in found_in(ast.parse(path.read_text()), name, known)]


def doors() -> set[tuple[str, str]]:
    """The imports that go upward, as the contract names them."""
    contract = configparser.ConfigParser()
    contract.read(CONTRACT)
    lines = contract["importlinter:contract:layers"]["ignore_imports"].split("\n")
    return {(importer, imported) for importer, _, imported in (line.split() for line in lines if line)}


def circles(edges: set[tuple[str, str]]) -> list[list[str]]:
    """What lies on circles, or between them: what is left when ends are taken away as long as there are any."""
    edges = {(a, b) for a, b in edges if a != b}
    while True:
        importing, imported = {a for a, _ in edges}, {b for _, b in edges}
        kept = {(a, b) for a, b in edges if a in imported and b in importing}
        if kept == edges:
            return [sorted({a for a, _ in edges})] if edges else []
        edges = kept


def wing(module: str) -> str:
    return ".".join(module.split(".")[:2])


needs_contract = pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not in the sdist")


def test_the_search_for_circles_finds_one():
    assert circles({("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")}) == [["b", "c"]]
    assert circles({("a", "b"), ("b", "c"), ("a", "c")}) == []


def test_no_module_imports_itself_by_way_of_others():
    assert len(imports()) > 1_000
    assert circles({(one.importer, one.imported) for one in imports() if not one.in_function}) == []


@needs_contract
def test_no_wing_imports_itself_by_way_of_others_but_through_the_doors():
    inner = {(one.importer, one.imported) for one in imports() if one.importer != "multilayer"} - doors()
    assert circles({(wing(importer), wing(imported)) for importer, imported in inner}) == []


@needs_contract
def test_imports_within_functions_that_go_upward_are_the_doors_that_the_contract_names():
    """Without them there is no circle; each of them would close one, or leads from a wing to one above it."""
    everything = {(one.importer, one.imported) for one in imports()}
    assert doors() <= everything
    assert circles(everything - doors()) == []
    for door in doors():
        others = everything - doors() | {door}
        between_wings = {(wing(a), wing(b)) for a, b in others if a != "multilayer"}
        assert circles(others) or circles(between_wings), f"{door} is no door"
