"""Nothing here is collected: `test_golden.py` imports what it needs, and a second import would enter programs twice."""

collect_ignore_glob = ["*.py"]
