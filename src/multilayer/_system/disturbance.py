"""Whether the machine is so busy with other work that times measured on it mean nothing."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from multilayer._core.kernels import threads
from multilayer._language import tr

PIECES = 32
BYTES = 262_144  # a piece takes some tenths of a millisecond: shorter than a turn of another program on the core
WAITING = 1.2  # times its processor time may a piece take
UNEVEN = 1.4  # times the fastest piece may they take on average


class Piece(NamedTuple):
    """The seconds that a fixed piece of work took: on the clock, and of the processor."""

    wall: float
    processor: float


def pieces_of_work(workers: int | None = None) -> list[Piece]:
    """Does the same small piece of work again and again, on all cores that this process may use, and times each.

    That takes a few milliseconds where nothing is in the way.

    Args:
        workers: On how many cores; by default on all that products would use, but for very many.

    Example:
        >>> len(pieces_of_work(2)) == 2 * PIECES
        True
    """
    workers = min(threads.available(), 16) if workers is None else workers
    found: list[Piece] = []
    gate = threading.Barrier(workers)
    data = bytes(BYTES)

    def work() -> None:
        hashlib.sha256(data).digest()  # before the clock starts: caches fill, and the processor speeds up
        try:
            gate.wait()
        except threading.BrokenBarrierError:
            return
        own = []
        for _ in range(PIECES):
            wall, processor = time.perf_counter(), time.thread_time()
            hashlib.sha256(data).digest()  # lets other Python threads go on meanwhile
            own.append(Piece(time.perf_counter() - wall, time.thread_time() - processor))
        found.extend(own)

    helpers = [threading.Thread(target=work) for _ in range(workers)]
    try:
        for helper in helpers:
            helper.start()
    except RuntimeError:  # no further thread can be had: those that wait for it are to go on
        gate.abort()
        raise
    for helper in helpers:
        helper.join()
    return found


def disturbance(pieces: Sequence[Piece] | None = None, load: float | None = None) -> str | None:
    """Why times measured now would mean nothing, in whole sentences; None where nothing is in the way.

    A thread that other programs push aside waits: it takes longer by the clock than of the processor. Where it does
    not wait and takes longer all the same, the processor itself is slower at times, as that of a virtual machine is
    whose host is busy.

    Args:
        pieces: What `pieces_of_work` returned; by default what it returns now.
        load: How many programs wanted a core in the last minute; by default as the system has it, where it does.

    Example:
        >>> print(disturbance([Piece(wall=0.001, processor=0.001), Piece(wall=0.004, processor=0.001)], load=3.2))
        The machine is busy: what takes its cores 2.0 ms took 5.0 ms, as other programs hold them (load average 3.2 ...
        >>> disturbance([Piece(wall=0.001, processor=0.001)] * 4, load=0.1) is None
        True
    """
    if pieces is None and sys.platform == "win32":  # whose clock of the processor ticks every 16 ms
        return None
    pieces = pieces_of_work() if pieces is None else pieces
    load = _load() if load is None else load
    wall, processor = sum(piece.wall for piece in pieces), sum(piece.processor for piece in pieces)
    fastest = min(piece.wall for piece in pieces)
    end = tr("Times that are measured now say little.")
    if wall > WAITING * processor:
        known = (
            "" if load is None else tr(" (load average {load:.1f} on {cores} cores)", load=load, cores=threads.cores())
        )
        return tr(
            "The machine is busy: what takes its cores {processor:.1f} ms took {wall:.1f} ms, as other "
            "programs hold them{known}, or a container is allowed less. {end}",
            processor=1e3 * processor,
            wall=1e3 * wall,
            known=known,
            end=end,
        )
    if wall > UNEVEN * fastest * len(pieces):
        slowest = max(piece.wall for piece in pieces)
        return tr(
            "The processor is not at the same speed all the time: the same piece of work takes it "
            "{fastest:.2f} to {slowest:.2f} ms, as where a virtual machine's host is busy. {end}",
            fastest=1e3 * fastest,
            slowest=1e3 * slowest,
            end=end,
        )
    return None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none, and others may not know
        return None
