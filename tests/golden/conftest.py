"""Only tests are collected here: they import what they need, and a second import would enter programs twice."""

from pathlib import Path

collect_ignore = [path.name for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")]
