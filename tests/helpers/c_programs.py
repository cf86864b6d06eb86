"""Compilers, and programs that they make."""

import shutil
import subprocess

import pytest

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")


def needs(program):
    """Leaves a test out where a program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def built(command, folder, merged=False, **options):
    """What a program prints, which must succeed; with `merged`, what it says on stderr as well."""
    found = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, timeout=120, check=False, **options
    )
    assert found.returncode == 0, (found.stdout + found.stderr).decode(errors="replace")[:4000]
    return found.stdout + found.stderr if merged else found.stdout
