"""Files made with bad intent: each is refused by one exception, quickly, and nothing else happens."""

from pathlib import Path

import pytest

from hostile import corpus, probe

MARK = Path("/tmp/multilayer-was-run")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What each file of the corpus did in a process of its own, by kind."""
    MARK.unlink(missing_ok=True)
    return corpus.judged(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("kind", corpus.KINDS)
def test_a_hostile_file_is_refused_and_does_nothing(verdicts, kind):
    assert verdicts[kind]
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
