"""The programs that made the files are no tests, and need what tests do without."""

collect_ignore_glob = ["make_*.py"]
