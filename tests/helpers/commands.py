"""Commands called in this process or started in another, for the tests of the command line."""

import csv
import os
import re
import subprocess
import sys

from typer.testing import CliRunner

from multilayer.cli.commands import app

FILES = {
    "model.npz",
    "trained_on.json",
    "history.csv",
    "accuracy.png",
    "loss.png",
    "mistakes.png",
    "run.json",
    "backup",
}
SMALL = ["--data", "synthetic_digits", "--samples", "600", "--epochs", "2", "--seed", "1"]


def call(*arguments, code=0, env=None):
    """Runs a command in this process and returns what it printed, each text in one line without a box around it."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return Printed(result.stdout), Printed(result.stderr)


class Printed(str):
    """What was printed; `in` ignores how it was broken into lines."""

    def __contains__(self, text):
        return text in self.in_a_line()

    def in_a_line(self):
        return " ".join(re.sub("[│|]", " ", self).split())


def start(*arguments, env=(), **options):
    """Starts a command in a process of its own."""
    command = [sys.executable, "-m", "multilayer", *(str(argument) for argument in arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **dict(env)}, **options
    )


def rows(stdout):
    return list(csv.DictReader(stdout.splitlines()))
