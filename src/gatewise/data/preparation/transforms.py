"""What becomes of each payload: clips to spectra, frames to frames, documents to tokens.

Clips are transformed in chunks that follow from the manifest alone, by processes forked from
this one, and written in the manifest's order. So memory stays bounded and the bytes do not
depend on how many workers there were. (Threads would share the interpreter's lock, which
decoding and small tensor calls hold half of the time: two were no faster than one.)
"""

from __future__ import annotations

import functools
import hashlib
import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gatewise.artifacts.manifest import DOCUMENTS, FRAMES, LONGEST_DOCUMENT, Raw, normalised
from gatewise.artifacts.prepared import SEQUENCES, TOKENIZER
from gatewise.config import LogMel, Mfcc, Tokens
from gatewise.data.frontends.decoding import Unusable, decode
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from gatewise.data.frontends.spectra import FrontEnd

CHUNK_CLIPS = 64
CHUNK_SAMPLES = 2_000_000  # 8 MB of float32 a chunk, however long the clips are

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Transformed:
    """What transforming tells, example by example in the manifest's order."""

    lengths: list[int] = field(default_factory=list)
    """Steps of each sequence; 0 for an example that cannot be used."""
    contents: list[str] = field(default_factory=list)
    """Digest of what each example is made of: decoded samples, frames or normalised text."""
    unusable: dict[int, str] = field(default_factory=dict)
    """Row: why the example cannot be used."""
    flaws: dict[str, list[int]] = field(default_factory=dict)
    """Kind of flaw: rows of examples that are used all the same."""
    features: int | None = None
    vocabulary: int | None = None
    step_seconds: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    """More for the report."""
    unlearned: list[str] = field(default_factory=list)
    """Vocabulary entries that the training documents cannot have given."""


# --- audio -------------------------------------------------------------------------------


@dataclass
class _Heard:
    """What became of one chunk, clip by clip."""

    lengths: list[int] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    unusable: dict[int, str] = field(default_factory=dict)
    flaws: list[tuple[int, str]] = field(default_factory=list)
    sequences: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """`(steps, features)`, end to end."""


def spectra(raw: Raw, config: LogMel | Mfcc, folder: Path, workers: int) -> Transformed:
    """Write the log-mels or MFCCs of every clip.

    Raises:
        GatewiseError: a file is missing or is not the one that was fetched.
    """
    import torch

    from gatewise.data.frontends.spectra import FrontEnd

    front_end = FrontEnd(config)
    done = Transformed(features=front_end.features, step_seconds=front_end.step_seconds)
    hear = functools.partial(_hear, raw, front_end)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the pool is the parallelism
    try:
        with SequenceWriter(folder / SEQUENCES, (front_end.features,), np.float32) as writer:
            chunks = in_order(hear, chunks_of(raw.manifest), workers)
            for heard in progress(chunks, len(raw.manifest), "clips", lambda h: len(h.lengths)):
                first = len(done.lengths)
                writer.append(heard.sequences)
                done.lengths += heard.lengths
                done.contents += heard.contents
                done.unusable |= {first + place: why for place, why in heard.unusable.items()}
                for place, flaw in heard.flaws:
                    done.flaws.setdefault(flaw, []).append(first + place)
    finally:
        torch.set_num_threads(threads)
    return done


def _hear(raw: Raw, front_end: FrontEnd, rows: list[tuple[str, str]]) -> _Heard:
    """One chunk, batched by length: a call for many clips costs little more than for one."""
    import torch

    heard = _Heard()
    batches: dict[int, list[tuple[int, torch.Tensor]]] = {}
    for place, (path, expected) in enumerate(rows):
        data = _read(raw.locate(path), expected)
        try:
            clip = decode(data)
        except Unusable as reason:
            heard.unusable[place] = f"{path}: {reason}"
            heard.contents.append("")
            continue
        heard.contents.append(clip.content)
        heard.flaws += [(place, flaw) for flaw in clip.flaws]
        if len(clip.samples) / clip.rate < front_end.shortest_seconds:
            heard.flaws.append((place, "too short"))
        wave = front_end.clip(clip.samples, clip.rate)
        batches.setdefault(len(wave), []).append((place, wave))
    parts = [np.zeros((0, front_end.features), np.float32)] * len(rows)
    for batch in batches.values():
        sequences = front_end(torch.stack([wave for _, wave in batch])).numpy()
        for (place, _), sequence in zip(batch, sequences, strict=True):
            parts[place] = sequence
    heard.lengths = [len(part) for part in parts]
    heard.sequences = np.concatenate(parts)
    return heard


def _read(path: Path, expected: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch` to make it anew") from None
    if hashlib.sha256(data).hexdigest() != expected:
        raise GatewiseError(f"{path}: changed since it was fetched; run `dvc repro -f fetch`")
    return data


def chunks_of(manifest: pd.DataFrame) -> Iterator[list[tuple[str, str]]]:
    """Rows `(path, sha256)` to transform together; a function of the manifest alone."""
    chunk: list[tuple[str, str]] = []
    samples = 0
    for path, content, length in zip(
        manifest["path"], manifest["sha256"], manifest["n_samples"], strict=True
    ):
        if chunk and (len(chunk) == CHUNK_CLIPS or samples + length > CHUNK_SAMPLES):
            yield chunk
            chunk, samples = [], 0
        chunk.append((path, content))
        samples += length
    yield chunk


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Results of `function` over `items` in order, computed a few items ahead at most.

    Raises:
        GatewiseError: a worker died.
    """
    if workers == 1:
        yield from map(function, items)
        return
    # fork inherits what `function` holds; where there is no fork, it is sent once.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, context, _begin, (function,)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_work, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise GatewiseError(
                "a worker died while preparing, most likely for want of memory; free some, or "
                "run again with fewer processes beside it"
            ) from None
        finally:
            for future in waiting:
                future.cancel()


_function: Callable[[Any], Any]
"""What this process, a worker, does with each item."""


def _begin(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603 - a worker process has one task and nowhere else to keep it
    _function = function


def _work(item: Any) -> Any:
    return _function(item)


# --- ready-made frames -------------------------------------------------------------------


def frames(raw: Raw, folder: Path) -> Transformed:
    """Copy frames that the source ships.

    Raises:
        GatewiseError: the file is missing or has another length than the manifest says.
    """
    path = raw.folder / FRAMES
    try:
        values = np.load(path, mmap_mode="r")
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch`") from None
    counts = raw.manifest["n_samples"].to_numpy()
    if counts.sum() != len(values):
        raise GatewiseError(
            f"{path} has {len(values)} frames, the manifest counts {counts.sum()}; "
            "run `dvc repro -f fetch`"
        )
    done = Transformed(features=int(values.shape[1]), step_seconds=raw.card.step_seconds)
    ends = np.cumsum(counts)
    with SequenceWriter(folder / SEQUENCES, values.shape[1:], np.float32) as writer:
        for row, (count, end) in enumerate(zip(counts.tolist(), ends.tolist(), strict=True)):
            sequence = values[end - count : end]
            if count == 0:
                done.unusable[row] = "no frames"
            elif not np.isfinite(sequence).all():
                done.unusable[row] = "frames that are not finite numbers"
            used = sequence if row not in done.unusable else sequence[:0]
            writer.append(used)
            done.lengths.append(len(used))
    done.contents = raw.manifest["sha256"].tolist()
    return done


# --- text --------------------------------------------------------------------------------


def tokens(raw: Raw, config: Tokens, split: np.ndarray, folder: Path) -> Transformed:
    """Train a tokenizer on the documents whose `split` is `train`, and encode all of them.

    Raises:
        GatewiseError: the documents are missing.
    """
    from gatewise.data.frontends import tokens

    def training_documents() -> Iterator[str]:
        for row, document in enumerate(_flat(documents(raw))):
            if split[row] == "train" and _problem(document) is None:
                yield document

    tokenizer = tokens.train(training_documents(), config)
    tokens.save(tokenizer, folder / TOKENIZER, config.max_length)
    done = Transformed(vocabulary=tokenizer.get_vocab_size())
    seen = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    truncated = unknown = steps = 0
    with SequenceWriter(folder / SEQUENCES, (), np.int32) as writer:
        for batch in progress(documents(raw), len(split), "documents", len):
            problems = [_problem(document) for document in batch]
            usable = [
                "" if problem else document
                for document, problem in zip(batch, problems, strict=True)
            ]
            for document, problem, ids in zip(
                usable, problems, tokens.encode(tokenizer, usable), strict=True
            ):
                row = len(done.lengths)
                if split[row] == "train":
                    seen[ids] = True
                sequence = ids[: config.max_length] if problem is None else ids[:0]
                if problem is not None:
                    done.unusable[row] = problem
                truncated += len(ids) > config.max_length
                unknown += int((sequence == tokens.UNKNOWN_ID).sum())
                steps += len(sequence)
                writer.append(sequence)
                done.lengths.append(len(sequence))
                done.contents.append(hashlib.sha256(normalised(document).encode()).hexdigest())
    done.unlearned = tokens.unlearned(tokenizer, seen)
    done.figures = {
        "truncated_share": truncated / len(done.lengths),
        "unknown_share": unknown / max(1, steps),
    }
    return done


def documents(raw: Raw) -> Iterator[list[str]]:
    """The documents in the manifest's order, a thousand at a time at most.

    Raises:
        GatewiseError: the file is missing.
    """
    import pyarrow.parquet

    path = raw.folder / DOCUMENTS
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch`") from None
    with file:
        for batch in file.iter_batches(batch_size=1_000, columns=["text"]):
            yield batch.column(0).to_pylist()


def _problem(document: str) -> str | None:
    if not document.strip():
        return "empty text"
    if len(document) > LONGEST_DOCUMENT:
        return f"longer than {LONGEST_DOCUMENT:,} characters; split it into several examples"
    return None


def _flat(batches: Iterable[list[str]]) -> Iterator[str]:
    for batch in batches:
        yield from batch


def progress(
    items: Iterable[Result], total: int, what: str, size: Callable[[Result], int]
) -> Iterator[Result]:
    """Show on stderr how far the iteration over `items` has come; `size` counts each one's."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"preparing {what}", total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))
