"""Whether the machine is too busy to measure on; what is measured is made up, but for once."""

import sys

import pytest

from multilayer._system import disturbance
from multilayer._system.disturbance import Piece

QUIET = [Piece(0.0010, 0.0010)] * 30


@pytest.mark.parametrize("pieces", [QUIET, [*QUIET, Piece(0.002, 0.001)], [Piece(0.001, 0.0011)] * 9])
def test_where_nothing_is_in_the_way_there_is_nothing_to_say(pieces):
    assert disturbance.disturbance(pieces, load=9.0) is None  # of the last minute, which is over


def test_whoever_waits_for_a_core_is_told_how_long():
    sentence = disturbance.disturbance([*QUIET, *[Piece(0.004, 0.001)] * 10], load=5.25)
    assert "what takes its cores 40.0 ms took 70.0 ms" in sentence
    assert "load average 5.2 on" in sentence


def test_a_processor_of_changing_speed_is_told_though_nothing_waits():
    sentence = disturbance.disturbance([*QUIET, *[Piece(0.003, 0.003)] * 10], load=0.0)
    assert "takes it 1.00 to 3.00 ms" in sentence


def test_a_system_that_knows_no_load_is_told_of_none(monkeypatch):
    monkeypatch.delattr("os.getloadavg", raising=False)
    assert "load" not in disturbance.disturbance([Piece(0.004, 0.001)])


def test_a_clock_that_ticks_too_seldom_is_not_asked(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(disturbance, "pieces_of_work", lambda: [Piece(0.004, 0.0)])
    assert disturbance.disturbance() is None


def test_every_core_is_tried():
    pieces = disturbance.pieces_of_work(3)
    assert len(pieces) == 3 * disturbance.PIECES
    assert all(piece.wall > 0 for piece in pieces)
