"""Web servers on this machine, for what is downloaded."""

import pytest

from helpers.mirrors import isolate, serving


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Starts mirrors, which end with the test; what is downloaded goes to an empty home."""
    isolate(monkeypatch, tmp_path)
    with serving() as start:
        yield start
