"""Runs on a Ray cluster, in place of processes of this machine (`execution.backend: ray`).

A run is a Ray task that asks for its threads as CPUs and, where wanted, a share of a GPU. It
trains into a scratch folder of its node and its files come back as bytes, so nodes need no common
file system; a node that cannot see the prepared task gets it once, through Ray's object store.
Events travel through a queue that lives on the node of the stage, and with them every few seconds
the run's checkpoint. A run whose node is lost goes on from it elsewhere; epochs trained again are
the same numbers again, so each is reported once.
"""

from __future__ import annotations

import dataclasses
import logging
import socket
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from gatewise.artifacts import software
from gatewise.artifacts.prepared import CARD
from gatewise.config import ExecutionConfig
from gatewise.errors import GatewiseError
from gatewise.execution.workers import Event, failure
from gatewise.files import read_json, replacing
from gatewise.training import instructions
from gatewise.training.job import Job

ATTEMPTS = 4
"""A run whose node was lost so many times has a fault of its own."""
ANSWER_SECONDS = 10
SHIP_SECONDS = 2
"""Least time between two checkpoints that a run sends: epochs may be very short."""


def train_all(
    jobs: list[Job], workers: int | Literal["auto"], execution: ExecutionConfig
) -> Iterator[Event]:
    """Train `jobs`, which are of one prepared task, on the cluster and yield events.

    As `gatewise.execution.workers.train_all`: a run that fails yields `failed`, the others go on,
    and closing the iterator (or Ctrl-C) ends the tasks that are still running.

    Args:
        jobs: what to train.
        workers: runs at once; as many as the cluster has room for when auto.
        execution: where the cluster is and what a run asks of it.

    Raises:
        GatewiseError: Ray is not installed, the cluster does not answer, or none of its nodes
            has room for a single run.
    """
    with _connected(execution.ray_address, jobs[0].plan.instructions) as ray:
        threads = jobs[0].plan.threads
        _check_room(ray, threads, execution.gpus_per_run)
        queue = _queue(ray)
        prepared = jobs[0].prepared
        data = _Data(prepared, read_json(prepared / CARD)["digest"], [ray.put(_pack(prepared))])
        task = ray.remote(_train).options(
            num_cpus=threads, num_gpus=execution.gpus_per_run, max_retries=0
        )
        waiting = deque((job, 1) for job in jobs)
        running: dict[Any, tuple[Job, int]] = {}
        last_epochs: dict[str, int] = {}
        limit = len(jobs) if workers == "auto" else workers
        try:
            while waiting or running:
                while waiting and len(running) < limit:
                    job, attempt = waiting.popleft()
                    sent = task.remote(job, data, queue, _saved(job))
                    running[sent] = (job, attempt)
                ready, _ = ray.wait(list(running), num_returns=1, timeout=0.2)
                yield from _new(queue, last_epochs)
                for reference in ready:
                    job, attempt = running.pop(reference)
                    event = _outcome(ray, reference, job, attempt)
                    if event.kind == "resumed":
                        waiting.append((job, attempt + 1))
                        if job.key not in last_epochs:  # lost before it could say a word
                            last_epochs[job.key] = 0
                            yield Event("started", job)
                    yield event
        finally:
            for reference in running:
                with suppress(Exception):
                    ray.cancel(reference, force=True)


@dataclasses.dataclass(frozen=True)
class _Data:
    """A prepared task and how to get it where it is not."""

    folder: Path
    digest: str
    packed: list[Any]
    """A reference to its files; in a list, or Ray would bring them to every task."""

    def here(self) -> Path:
        """The folder on this node, which may be another one."""
        kept = Path(tempfile.gettempdir(), "gatewise-data", self.digest)
        for folder in (self.folder, kept):
            with suppress(OSError, ValueError, KeyError):
                if read_json(folder / CARD)["digest"] == self.digest:
                    return folder
        import ray

        with replacing(kept) as folder:
            folder.mkdir()
            for name, content in ray.get(self.packed[0]).items():
                (folder / name).write_bytes(content)
        return kept


def _pack(prepared: Path) -> dict[str, Any]:
    """Files by name; memory-mapped, so that none is held twice."""
    import numpy as np

    return {
        path.name: np.memmap(path, dtype=np.uint8, mode="r")
        for path in sorted(prepared.iterdir())
        if path.is_file()
    }


@dataclasses.dataclass(frozen=True)
class _Checkpoint:
    """What a run needs to go on elsewhere."""

    path: Path
    content: bytes


def _saved(job: Job) -> bytes | None:
    if job.checkpoint is None or not job.checkpoint.exists():
        return None
    return job.checkpoint.read_bytes()


def _train(job: Job, data: _Data, queue: Any, saved: bytes | None) -> dict[str, bytes]:
    """On a node: train one run, from a checkpoint if there is one, and give its files."""
    node = socket.gethostname()
    if software.run_digest(job.plan) != job.software:
        raise GatewiseError(
            f"node {node}: gatewise, torch, pytorch-lightning or numpy is not the version of the "
            "machine that started the study, or its processor is of another kind; install the "
            "same requirements.lock on every node"
        )
    from gatewise.training import work

    queue.put(Event("started", job))
    with tempfile.TemporaryDirectory() as scratch:
        folder, checkpoint = Path(scratch, "run"), Path(scratch, "run.ckpt")
        folder.mkdir()
        if saved is not None:
            checkpoint.write_bytes(saved)
        shipped = time.monotonic()

        def on_epoch(epoch: int, values: dict[str, float]) -> None:
            nonlocal shipped
            queue.put(Event("epoch", job, epoch=epoch, values=values))
            # This epoch is saved after it is reported; the file is that of the one before.
            late = time.monotonic() - shipped > SHIP_SECONDS
            if job.checkpoint is not None and late and checkpoint.exists():
                queue.put(_Checkpoint(job.checkpoint, checkpoint.read_bytes()))
                shipped = time.monotonic()

        def on_resumed(epochs: int, sentence: str) -> None:
            sentence = sentence.replace(str(checkpoint), str(job.checkpoint))
            queue.put(Event("resumed", job, epoch=epochs, reason=sentence))

        here = dataclasses.replace(
            job,
            prepared=data.here(),
            folder=folder,
            checkpoint=checkpoint if job.checkpoint else None,
        )
        work.carry_out(here, on_epoch, on_resumed)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _outcome(ray: Any, reference: Any, job: Job, attempt: int) -> Event:
    """What became of a task; `resumed` if it has to be sent off again."""
    try:
        files = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, GatewiseError):
            return dataclasses.replace(failure(job, error.cause), reason=str(error.cause.args[0]))
        return Event("failed", job, reason=f"{error}\n{traceback.format_exc(limit=0)}")
    except ray.exceptions.RayError as error:
        if attempt >= ATTEMPTS:
            return Event("failed", job, reason=f"its node was lost {attempt} times: {error}")
        how = "starts anew" if _saved(job) is None else "goes on from its checkpoint"
        return Event("resumed", job, reason=f"its node was lost; it {how} on another")
    for name, content in files.items():
        (job.folder / name).write_bytes(content)
    return Event("finished", job)


def _new(queue: Any, last_epochs: dict[str, int]) -> Iterator[Event]:
    """Events that are new, whatever attempt they come from; checkpoints are kept."""
    for event in queue.get_nowait_batch(queue.qsize()):
        if isinstance(event, _Checkpoint):
            with replacing(event.path) as path:
                path.write_bytes(event.content)
            continue
        key = event.job.key
        if event.kind == "epoch" and event.epoch > last_epochs.get(key, 0):
            last_epochs[key] = event.epoch
            yield event
        elif event.kind == "resumed" and event.epoch >= last_epochs.get(key, 0):
            # Of another stage's attempt; that of this one was reported when its node was lost.
            last_epochs[key] = event.epoch
            yield event
        elif event.kind == "started" and key not in last_epochs:
            last_epochs[key] = 0
            yield event


def _queue(ray: Any) -> Any:
    """A queue on this node: it must not be lost with another."""
    from ray.util.queue import Queue
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})


@contextmanager
def _connected(address: str, mode: instructions.Instructions = "portable") -> Iterator[Any]:
    # A node has an environment of its own; its processes are to compute as those here do.
    held = instructions.environment(mode, {})
    try:
        import ray
    except ImportError:
        raise GatewiseError(
            "execution.backend is ray, but Ray is not installed; `pip install 'gatewise[ray]'`, "
            "or set it to local"
        ) from None
    if address != "auto":
        _check_answers(address)
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": held},
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise GatewiseError(
            f"execution.ray_address {address}: no Ray cluster there that this machine can join "
            f"({first}); start one with `ray start --head`, join it here with "
            "`ray start --address=HOST:PORT`, or set execution.backend to local"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise GatewiseError(
            f"execution.ray_address {address} does not answer ({error}); it is HOST:PORT of the "
            "head node, as `ray start --head` prints it, or auto"
        ) from None


def _check_room(ray: Any, cpus: int, gpus: float) -> None:
    """Ray would wait for ever for a node that is large enough."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)  # a cluster that has only just started may still be growing
    largest = ", ".join(
        f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes
    )
    raise GatewiseError(
        f"a run asks for {cpus} CPUs (execution.threads_per_run) and {gpus:g} GPUs "
        f"(execution.gpus_per_run), and no node of the Ray cluster has both; its nodes have "
        f"{largest}"
    )
