"""Files with random damage of every format: loaded or refused, and nothing else."""

import pytest

from hostile.mutations import fuzz, fuzz_backups
from hostile.readers import readers

MUTATIONS = 3000  # `python reliability/fuzz.py` does 100,000
BACKUPS = 300


@pytest.mark.parametrize("seed", [1])
def test_a_damaged_file_is_loaded_or_refused(tmp_path, seed):
    for folder in ("whole", "damaged"):
        (tmp_path / folder).mkdir()
    every = readers(tmp_path / "whole")
    counts = fuzz(tmp_path / "damaged", every, MUTATIONS, seed)
    assert counts.total() == MUTATIONS
    for name in every:
        assert counts[name, "refused"] > MUTATIONS // len(every) // 5, "much damage is found"


@pytest.mark.parametrize("seed", [1])
def test_a_run_goes_on_from_a_damaged_backup_or_refuses_it(tmp_path, seed):
    counts = fuzz_backups(tmp_path, BACKUPS, seed)
    assert counts.total() == BACKUPS
    assert counts["refused"] > BACKUPS // 3, "most damage is found"
