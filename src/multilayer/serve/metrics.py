"""What a service counts, in Prometheus' form."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


class Metrics:
    """The counts of one service.

    Args:
        waiting: How many requests wait for the network.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        own = CollectorRegistry()
        self._registry = own
        ProcessCollector(registry=own)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "multilayer_requests", "Requests that were answered", ("method", "path", "status"), registry=own
        )
        self._seconds = Histogram(
            "multilayer_request_seconds",
            "From a request's headers to its answer",
            ("path",),
            buckets=_SECONDS,
            registry=own,
        )
        self._rows = Counter("multilayer_rows", "Rows that were predicted", registry=own)
        self._batch = Histogram(
            "multilayer_batch_requests", "Requests that one prediction answered", buckets=_SIZES, registry=own
        )
        Gauge("multilayer_waiting_requests", "Requests that wait for the network", registry=own).set_function(waiting)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Counts a request."""
        key = (method, path, status)
        if key not in self._known:  # of which there are few: `labels` takes longer than to count
            self._known[key] = self._requests.labels(method, path, str(status)), self._seconds.labels(path)
        requests, times = self._known[key]
        requests.inc()
        times.observe(seconds)

    def predicted(self, requests: int, rows: int) -> None:
        """Counts a prediction."""
        self._batch.observe(requests)
        self._rows.inc(rows)

    def text(self) -> bytes:
        """All counts."""
        text: bytes = generate_latest(self._registry)
        return text
