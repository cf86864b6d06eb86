"""Files made with bad intent: each is refused by one exception, quickly, and nothing else happens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hostile import corpus, probe
from hostile.whole import write_all

TESTS = Path(__file__).parent
MARK = Path("/tmp/multilayer-was-run")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What each file of the corpus did in a process of its own, by kind."""
    folder = tmp_path_factory.mktemp("hostile")
    MARK.unlink(missing_ok=True)
    (folder / "whole").mkdir()
    (folder / "probe").mkdir()
    made = list(corpus.make(folder, write_all(folder / "whole")))
    answers = subprocess.run(
        [sys.executable, "-m", "hostile.probe", folder / "probe"],
        input="".join(f"{path}\n" for _, path in made),
        env={"PYTHONPATH": str(TESTS), "PATH": "", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert answers.returncode == 0, answers.stderr
    found = {kind: [] for kind, _ in made}
    for (kind, path), line in zip(made, answers.stdout.splitlines(), strict=True):
        verdict = json.loads(line)
        assert verdict["path"] == str(path)
        found[kind].append(verdict)
    return found


@pytest.mark.parametrize("kind", corpus.KINDS)
def test_a_hostile_file_is_refused_and_does_nothing(verdicts, kind):
    for verdict in verdicts[kind]:
        name = Path(verdict["path"]).name
        assert (name, verdict["outcome"]) == (name, "refused"), verdict["message"]
        assert name in verdict["message"], "the refusal names the file"
        assert verdict["events"] == [], name
        assert verdict["memory"] < probe.MOST_MEMORY, name
        assert verdict["seconds"] < 1, name
        assert len(verdict["message"]) < 2000, "a refusal is read by a person"
        assert verdict["message"].replace("\n", "").isprintable(), "no control characters"


def test_no_code_of_a_file_was_run(verdicts):
    assert verdicts
    assert not MARK.exists()


def test_the_corpus_has_every_kind():
    assert len(corpus.KINDS) >= 24
