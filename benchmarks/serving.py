"""A service under load: many predictions at once, beside clients that send a byte now and then.

    python benchmarks/serving.py

It starts `multilayer serve` with the tutorial's network (784-50-10) in a process of its own. In each round as many
connections as `--clients` says are opened at the same moment, each asks about one digit as JSON, 784 numbers, and waits
for its answer; beside them `--slow` connections send their headers or their body a byte at a time, again and again.
What is measured is the time from a connection's first step to its whole answer, and the service's largest memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np

import multilayer as ml

HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n"
PATIENCE = 30.0  # seconds after which an answer counts as lost


def ask_at_once(port: int, requests: list[bytes]) -> list[tuple[float, bytes]]:
    """The seconds until each of some requests was answered, and what came: all are sent at the same moment.

    Sockets without a framework around them: what a client takes for itself would count as the service's time.
    """
    found: list[tuple[float, bytes]] = [(PATIENCE, b"")] * len(requests)
    got: list[list[bytes]] = [[] for _ in requests]
    begun: list[float] = []
    with selectors.DefaultSelector() as selector:
        for i in range(len(requests)):
            one = socket.socket()
            one.setblocking(False)
            begun.append(time.perf_counter())
            one.connect_ex(("127.0.0.1", port))
            selector.register(one, selectors.EVENT_WRITE, i)
        left, end = len(requests), time.perf_counter() + PATIENCE
        while left and time.perf_counter() < end:
            for key, events in selector.select(1):
                i, one = key.data, key.fileobj
                try:
                    if events & selectors.EVENT_WRITE:
                        one.sendall(requests[i])  # type: ignore[union-attr]
                        selector.modify(one, selectors.EVENT_READ, i)
                        continue
                    part = one.recv(65536)  # type: ignore[union-attr]
                except OSError as error:
                    part, got[i] = b"", [repr(error).encode()]
                got[i].append(part)
                if not part:  # each connection is closed behind its answer
                    found[i] = time.perf_counter() - begun[i], b"".join(got[i])
                    selector.unregister(one)
                    one.close()  # type: ignore[union-attr]
                    left -= 1
    return found


def wrong(answer: bytes, expected: int) -> str:
    """What is wrong with an answer, or nothing."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        return answer[:100].decode(errors="replace") or "no answer"
    return "" if json.loads(body)["predictions"] == [expected] else "another's answer"


async def dawdle(port: int, number: int, cut: list[float]) -> None:
    """Sends a byte now and then, until it is cut off; and again."""
    text = (HEAD.format(5_000, "") + "[" * 5_000) if number % 2 else HEAD.format(5_000, "X: " + "x" * 4_000 + "\r\n")
    if number % 2:  # half of them are slow with the body, and quick until then
        start = len(HEAD.format(5_000, ""))
    else:
        start = 20
    while True:
        begun = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text[:start].encode())
            for letter in text[start:]:
                await asyncio.sleep(random.uniform(0.2, 0.6))
                if reader.at_eof():
                    break
                writer.write(letter.encode())
                await writer.drain()
        except OSError:
            pass
        cut.append(time.perf_counter() - begun)


async def dawdle_together(port: int, slow: int, cut: list[float], end: threading.Event) -> None:
    """All slow clients, until the end."""
    dawdlers = [asyncio.create_task(dawdle(port, i, cut)) for i in range(slow)]
    while not end.is_set():
        await asyncio.sleep(0.1)
    for one in dawdlers:
        one.cancel()


def load(port: int, clients: int, slow: int, rounds: int, requests: list[tuple[bytes, int]]) -> None:
    """Prints what each round came to."""
    cut: list[float] = []
    end = threading.Event()
    beside = threading.Thread(target=lambda: asyncio.run(dawdle_together(port, slow, cut, end)))
    beside.start()
    time.sleep(1)
    every: list[float] = []
    lost = 0
    asked = [requests[i % len(requests)] for i in range(clients)]
    for turn in range(rounds):
        begun = time.perf_counter()
        found = ask_at_once(port, [request for request, _ in asked])
        whole = time.perf_counter() - begun
        faults = [wrong(answer, expected) for (_, answer), (_, expected) in zip(found, asked, strict=True)]
        seconds = [one for (one, _), fault in zip(found, faults, strict=True) if not fault]
        for fault in sorted(set(faults) - {""}):
            print(f"  {faults.count(fault)} x {fault}")
        every += seconds
        lost += clients - len(seconds)
        rate = f"{clients / whole:,.0f} a second"
        print(f"round {turn + 1}: {clients:,} at once, {said(seconds)}, {rate}, {clients - len(seconds)} lost")
        time.sleep(0.5)
    end.set()
    beside.join()
    longest = f", after {max(cut):.1f} s at most" if cut else ""
    print(f"in all: {len(every):,} predictions, {said(every)}, {lost} lost")
    print(f"slow clients: {slow} all the while, cut off {len(cut)} times{longest}")


def said(seconds: list[float]) -> str:
    """Median, 99th percentile and largest, in milliseconds."""
    if not seconds:
        return "none"
    median, high = np.percentile(seconds, [50, 99])
    return f"median {1000 * median:.0f} ms, p99 {1000 * high:.0f} ms, largest {1000 * max(seconds):.0f} ms"


def batches(port: int) -> str:
    """How many requests one prediction answered, by the service's own count."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    requests, predictions = (number(rf"^multilayer_batch_requests_{name} (.+)$", text) for name in ("sum", "count"))
    return f"{requests:,.0f} requests in {predictions:,.0f} predictions, {requests / predictions:.1f} each"


def memory(process: int) -> str:
    """The memory that a process took at most, and takes."""
    status = Path(f"/proc/{process}/status").read_text()
    most, now = (number(rf"^{name}:\s+(\d+)", status) / 1024 for name in ("VmHWM", "VmRSS"))
    return f"{most:.0f} MB at most, {now:.0f} MB now"


def number(pattern: str, text: str) -> float:
    """The number that a pattern finds in a text."""
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None, pattern
    return float(found[1])


def processor() -> str:
    """What this machine has."""
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()


def main() -> None:
    """Reads the options, and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    wanted = options.clients + options.slow + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    model = ml.Sequential([ml.Input((784,)), ml.layers.Dense(50, "sigmoid"), ml.layers.Dense(10, "softmax")])
    rows = (np.random.default_rng(0).integers(0, 256, (50, 784)) / 255).round(4)
    rows[:, ::3] = 0
    answers = model.predict(rows, verbose=0).argmax(axis=1)
    requests = []
    for row, expected in zip(rows.tolist(), answers.tolist(), strict=True):
        body = json.dumps({"rows": [row]})
        requests.append(((HEAD.format(len(body), "Connection: close\r\n") + body).encode(), expected))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        command = [sys.executable, "-m", "multilayer", "serve", str(path), "--port", "0", "--no-browser", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
            assert service.stdout is not None
            try:
                text = ""
                while "}" not in text:
                    text += service.stdout.readline()
                port = int(json.loads(text)["url"].rstrip("/").rpartition(":")[2])
                print(f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}")
                print(f"memory before: {memory(service.pid)}")
                load(port, options.clients, options.slow, options.rounds, requests)
                print(f"batches: {batches(port)}")
                print(f"memory: {memory(service.pid)}")
            finally:
                service.terminate()


if __name__ == "__main__":
    main()
