"""Speed and latency of `gatewise serve`: `python -m benchmarks.serving MODEL [SECONDS]`.

One item a request over kept-alive connections, from 1 client and from 16, all on this machine, so
the clients' own work is in the figures.
"""

import http.client
import json
import subprocess
import sys
import threading
import time

import numpy as np

from gatewise.cli.models import load
from gatewise.serving.pyfunc import tone

PORT = 5066
CLIENTS = (1, 16)


def request(model: str) -> tuple[bytes, str]:
    """Body and content type of an item that the model takes."""
    card = load(model).card
    if card.modality == "text":
        return b"a film of quiet power, beautifully acted", "text/plain"
    if card.modality == "audio":
        return tone(int(card.front_end["sample_rate"])), "audio/wav"
    frames = np.random.default_rng(0).normal(size=(17, card.features or 1)).round(4).tolist()
    return json.dumps({"frames": frames}).encode(), "application/json"


def client(body: bytes, kind: str, until: float, seconds: list[float]) -> None:
    """Ask until the time is over; gather seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    while time.perf_counter() < until:
        began = time.perf_counter()
        connection.request("POST", "/predict", body, {"content-type": kind})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        seconds.append(time.perf_counter() - began)


def main(model: str, seconds: float = 10.0) -> None:
    """Serve, load, report."""
    body, kind = request(model)
    command = [sys.executable, "-m", "gatewise.cli.main", "serve", model, "--port", str(PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                client(body, kind, time.perf_counter() + 1, [])  # warm up
                break
            except ConnectionRefusedError:
                time.sleep(0.2)
        for count in CLIENTS:
            took: list[float] = []
            until = time.perf_counter() + seconds
            threads = [
                threading.Thread(target=client, args=(body, kind, until, took))
                for _ in range(count)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            half, most = np.percentile(took, [50, 99]) * 1000
            print(
                f"{count} clients: {len(took) / seconds:.0f} requests/s, "
                f"p50 {half:.1f} ms, p99 {most:.1f} ms",
                flush=True,
            )
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
