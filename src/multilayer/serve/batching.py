"""Requests that arrive together are answered by one prediction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from multilayer.serve.limits import Limits
from multilayer.serve.predictors import Asked, Predictor
from multilayer.serve.problems import ProblemError

_MOST_ROWS = 4_096  # in one prediction


class _Waiting(NamedTuple):
    asked: Asked
    answer: asyncio.Future[Any]


class Batcher:
    """Predicts for all who wait, at once.

    Nobody is made to wait for company: while the network is busy with some, others gather, and are next. So a batch is
    as large as the load asks for, and a request that comes alone is answered at once.

    Args:
        predictor: What is asked.
        limits: How many may wait.
        measured: Called with the numbers of requests and of rows in each prediction.
    """

    def __init__(self, predictor: Predictor, limits: Limits, measured: Callable[[int, int], None]) -> None:
        self.predictor = predictor
        self._limits, self._measured = limits, measured
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "predict")

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def ask(self, asked: Asked) -> Any:
        """What the network says of some rows.

        Raises:
            ProblemError: Too many wait already, or these rows are none that it takes.
        """
        if len(self._waiting) >= self._limits.waiting_requests:
            raise ProblemError(
                503, "Too many requests wait for the network. Try again in a moment.", {"Retry-After": "1"}
            )
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._waiting.append(_Waiting(asked, answer))
        if self._work is None:
            self._work = loop.create_task(self._go_on())
        return await answer

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(0)  # who came in this turn of the loop comes along
                batch = self._next()
                self._measured(len(batch), sum(one.asked.size for one in batch))
                answers = await loop.run_in_executor(self._thread, self._answers, [one.asked for one in batch])
                for one, answer in zip(batch, answers, strict=True):
                    if not one.answer.done():  # else whoever asked has gone
                        if isinstance(answer, Exception):
                            one.answer.set_exception(answer)
                        else:
                            one.answer.set_result(answer)
        finally:
            self._work = None

    def _next(self) -> list[_Waiting]:
        """Those that go together: of one form, and no more rows than fit."""
        first, rows = self._waiting[0], 0
        batch: list[_Waiting] = []
        left: list[_Waiting] = []
        for one in self._waiting:
            fits = one.asked.form == first.asked.form and (not batch or rows + one.asked.size <= _MOST_ROWS)
            (batch if fits else left).append(one)
            rows += one.asked.size if fits else 0
        self._waiting = left
        return batch

    def _answers(self, batch: Sequence[Asked]) -> list[Any]:
        try:
            return self.predictor.predict(batch)
        except Exception as error:  # whoever it is to blame on, the others get their answers
            if len(batch) == 1:
                return [ProblemError(422, str(error)) if isinstance(error, ValueError) else error]
            return [answer for one in batch for answer in self._answers([one])]

    def close(self) -> None:
        """Ends its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
