"""Hostile and heavy requests by kind, against a server in a process of its own."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.hardening import project
from benchmarks.hardening.table import LOST, REFUSED, SURVIVED, Tally

PATIENCE = 90.0
"""Seconds for one answer."""
LARGEST_GROWTH = 2 * 2**30
"""Bytes by which the server may grow."""
Request = tuple[str, dict[str, str], bytes]
"""Path, headers, body."""


def _json(path: str, value: object) -> Request:
    return path, {"content-type": "application/json"}, json.dumps(value).encode()


def _sound(samples: np.ndarray, rate: int, form: str) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form)
    return file.getvalue()


def _wav(chance: random.Random, seconds: float = 0.2) -> bytes:
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 0.1, int(8000 * seconds))
    return _sound(noise, 8000, "WAV")


def _audio(body: bytes) -> Request:
    return "/predict", {"content-type": "audio/wav"}, body


def honest(chance: random.Random) -> Request:
    """A sound."""
    return _audio(_wav(chance))


def damaged_sound(chance: random.Random) -> Request:
    """A sound, cut or with other bytes somewhere in it."""
    body = bytearray(_sound(np.zeros(2000), 8000, chance.choice(["WAV", "FLAC", "OGG", "AIFF"])))
    for _ in range(chance.randrange(1, 20)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return _audio(bytes(body[: chance.randrange(len(body))] if chance.random() < 0.5 else body))


def lying_sound(chance: random.Random) -> Request:
    """A header that claims up to 2^31 bytes, many channels, odd rates."""
    body = bytearray(_wav(chance))
    place, width, value = chance.choice(
        [(40, 4, chance.randrange(2**31)), (22, 2, chance.randrange(1, 2**16)),
         (24, 4, chance.randrange(2**31)), (34, 2, chance.randrange(256))]
    )  # fmt: skip
    body[place : place + width] = value.to_bytes(width, "little")
    return _audio(bytes(body))


def odd_values(chance: random.Random) -> Request:
    """Numbers of 400 digits, strings, booleans, lists in lists, half characters."""
    odd = [10**400, True, "1", None, [[[0.0]]], {"a": 1}, "\ud800", 1e308, -1, [], [1, "2"]]
    item = {"samples": chance.choice([[0.1] * 400, *odd]), "rate": chance.choice([8000, *odd])}
    return _json("/predict", item if chance.random() < 0.8 else {"audio": chance.choice(odd)})


def odd_rows(chance: random.Random) -> Request:
    """Rows whose columns have no names, too many, or names that are no words."""
    odd = [["audio"], [["audio"]], "audio", 1, None, {"audio": 1}, [], ["audio", "audio"], [1]]
    form = chance.choice(["dataframe_split", "inputs", "dataframe_records"])
    value: object = chance.choice(odd)
    if form == "dataframe_split" and chance.random() < 0.8:
        value = {"columns": chance.choice(odd), "data": chance.choice([*odd, [["a"]]])}
    return _json("/invocations", {form: value})


def no_json(chance: random.Random) -> Request:
    """Bytes that are no JSON, or JSON that nests or repeats without end."""
    body = chance.choice(
        [chance.randbytes(1000), b"[" * 100_000, b'{"a":' * 50_000, b"[" + b"{}," * 900_000,
         b'{"inputs": [' + b"0," * 9_000_000 + b"0]}", b'"' + b"\\ud800" * 10]
    )  # fmt: skip
    return chance.choice(["/predict", "/invocations"]), {"content-type": "application/json"}, body


def packed_silence(chance: random.Random) -> Request:
    """Minutes of silence in a few kilobytes, many times."""
    seconds = chance.randrange(30, 70)
    sound = base64.b64encode(_sound(np.zeros(seconds * 8000), 8000, "FLAC")).decode()
    return _json("/invocations", {"inputs": [{"audio": sound}] * chance.randrange(20, 1000)})


def odd_rates(chance: random.Random) -> Request:
    """Two samples at a rate that has no simple ratio to the model's."""
    return _json("/predict", {"samples": [0.0, 0.1], "rate": chance.randrange(4000, 400_000)})


def padding(_chance: random.Random) -> Request:
    """One long sound beside many short ones."""
    short = {"samples": [0.1] * 300, "rate": 8000}
    return _json(
        "/invocations",
        {"inputs": [{"samples": [0.1] * 470_000, "rate": 8000}] + [short] * 1000},
    )


def foreign_host(chance: random.Random) -> Request:
    """What a page elsewhere makes a browser send."""
    name = f"{chance.randbytes(4).hex()}.example"
    return "/predict", {"content-type": "audio/wav", "host": name}, _wav(chance)


KINDS: dict[str, Callable[[random.Random], Request]] = {
    "honest": honest,
    "damaged sounds": damaged_sound,
    "headers that lie": lying_sound,
    "odd values": odd_values,
    "odd rows": odd_rows,
    "no JSON, or too much": no_json,
    "packed silence": packed_silence,
    "odd sample rates": odd_rates,
    "padding": padding,
    "foreign hosts": foreign_host,
}
HEAVY = ("packed silence", "padding", "no JSON, or too much")
"""Tried a fifth as often."""


class Server:
    """`gatewise serve`, with how much memory it takes."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gatewise.cli.main", "serve", "runs/sounds/gru/seed-0"),
                *("--port", str(self.port)),
            ],
            cwd=folder,
            env=project.environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.1)

    @property
    def memory(self) -> int:
        """Most bytes resident so far, by the system's count."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return int(psutil.Process(self.process.pid).memory_info().rss)
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])

    def ask(self, request: Request) -> int:
        """Status of the answer; 0 if there was none."""
        path, headers, body = request
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        said = answer.status == 200 or bool(content.get("error"))
        return answer.status if said else 0

    def end(self) -> float:
        """Seconds that it takes to end when told to, while a body is not finished."""
        with socket.create_connection(("127.0.0.1", self.port)) as unfinished:
            unfinished.sendall(b"POST /predict HTTP/1.1\r\nhost: localhost\r\n"
                               b"content-length: 9999\r\n\r\n{")  # fmt: skip
            time.sleep(0.2)
            began = time.monotonic()
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(60)
        return time.monotonic() - began


def tried(folder: Path, count: int, seed: int) -> Iterator[Tally]:
    """One tally for each kind of request."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    server = Server(folder)
    server.ask(honest(chance))  # imports what sounds take
    for kind, make in KINDS.items():
        counts: Counter[str] = Counter()
        slowest, before = 0.0, server.memory
        for _ in range(max(1, count // 5) if kind in HEAVY else count):
            request = make(chance)
            began = time.monotonic()
            status = server.ask(request)
            slowest = max(slowest, time.monotonic() - began)
            wanted = status == 200 if kind == "honest" else 200 <= status < 500
            counts[LOST if not wanted else SURVIVED if status == 200 else REFUSED] += 1
        grown = server.memory - before
        if grown > LARGEST_GROWTH:
            counts[LOST] += 1
        note = f"slowest {slowest:.1f} s, memory +{grown / 2**20:.0f} MiB"
        print(f"{kind}: {dict(counts)}; {note}", flush=True)
        yield Tally(f"request: {kind}", counts, note)
    yield slow_clients(server, 20)
    ended = server.end()
    yield Tally(
        "server told to end", Counter({SURVIVED if ended < 20 else LOST: 1}), f"after {ended:.1f} s"
    )


def slow_clients(server: Server, count: int) -> Tally:
    """Clients that send half a head; meanwhile others are to be answered."""
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(count)]
    for connection in held:
        connection.sendall(b"POST /predict HT")
    status = server.ask(honest(random.Random(0)))  # noqa: S311
    counts = Counter({SURVIVED if status == 200 else LOST: count})
    for connection in held:
        connection.close()
    return Tally("clients that send half a head", counts, "an honest one is answered meanwhile")
