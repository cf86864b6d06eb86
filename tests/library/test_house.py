"""Imports run one way: computed from the syntax trees, with those for type checking and those within functions."""

import importlib.util

import pytest

from helpers.paths import CHECKOUT


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house = load(CHECKOUT / "docs" / "house.py")
imports, doors, wing = house.imports, house.doors, house.wing


def circles(edges: set[tuple[str, str]]) -> list[list[str]]:
    """What lies on circles, or between them: what is left when ends are taken away as long as there are any."""
    edges = {(a, b) for a, b in edges if a != b}
    while True:
        importing, imported = {a for a, _ in edges}, {b for _, b in edges}
        kept = {(a, b) for a, b in edges if a in imported and b in importing}
        if kept == edges:
            return [sorted({a for a, _ in edges})] if edges else []
        edges = kept


needs_contract = pytest.mark.skipif(not house.CONTRACT.exists(), reason="the contract is not in the sdist")


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
