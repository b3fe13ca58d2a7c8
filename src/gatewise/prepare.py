"""From a raw folder to `data/prepared/<task>/`: sequences, index and card, and a report.

Examples are transformed in chunks that follow from the manifest alone, by threads (decoding,
resampling and spectra all release the interpreter), and written in the manifest's order. So
memory stays bounded and the bytes do not depend on how many workers there were.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gatewise import files, splits
from gatewise._sequences import SequenceWriter
from gatewise.config import SPLITS, Frames, LogMel, Mfcc, TaskConfig, Tokens
from gatewise.errors import GatewiseError
from gatewise.manifest import DOCUMENTS, FRAMES, Raw, normalised
from gatewise.prepared import INDEX_COLUMNS, Prepared, TaskCard

if TYPE_CHECKING:
    import pandas as pd

SEQUENCES = "sequences.npy"
CHUNK_CLIPS = 64
CHUNK_SAMPLES = 4_000_000  # 16 MB of float32 a chunk, however long the clips are

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Transformed:
    """What transforming a payload tells, example by example in the manifest's order."""

    lengths: list[int] = field(default_factory=list)
    """Steps of each sequence."""
    contents: list[str] = field(default_factory=list)
    """Digest of what each example is made of: decoded samples, frames or normalised text."""
    features: int | None = None
    vocabulary: int | None = None
    step_seconds: float | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    """More for the report."""


def prepare(
    task: str,
    config: TaskConfig,
    raw_folder: str | Path,
    target: str | Path,
    workers: int | None = None,
) -> tuple[Prepared, dict[str, Any]]:
    """Prepare one task.

    Args:
        task: its name.
        config: its settings.
        raw_folder: what its source left.
        target: folder to make; replaced as a whole.
        workers: threads; one per core when left out. Does not change the result.

    Returns:
        The prepared task and its report (plain data).

    Raises:
        GatewiseError: source and features do not fit, a file is not readable, or a split
            is empty.
    """
    import pandas as pd

    raw = Raw.open(raw_folder)
    manifest = raw.manifest
    labels = sorted(manifest["label"].unique())
    if len(labels) < 2:
        raise GatewiseError(f"{task}: only one label ({labels[0]!r}); nothing can be told apart")
    split = _split(task, manifest, config)
    _fits(task, raw, config)
    with files.replacing(target) as folder:
        folder.mkdir()
        done = _transform(raw, config, split, folder, workers or files.cores())
        lengths = np.array(done.lengths, dtype=np.int64)
        index = pd.DataFrame(
            {
                "id": manifest["id"],
                "label": manifest["label"].map({name: i for i, name in enumerate(labels)}),
                "group": manifest["group"],
                "split": split,
                "start": np.cumsum(lengths) - lengths,
                "length": lengths,
            }
        )
        facts = {
            "task": task,
            "modality": raw.card.payload,
            "title": raw.card.title,
            "synthetic": raw.card.synthetic,
            "licence": raw.card.licence,
            "labels": labels,
            "features": done.features,
            "vocabulary": done.vocabulary,
            "normalise": getattr(config.features, "normalise", "none"),
            "front_end": config.features.model_dump(mode="json"),
            "step_seconds": done.step_seconds,
            "resample": config.split.resample,
            "split": config.split.model_dump(mode="json"),
            "metric": config.metric,
        }
        digest = files.digest(
            {
                **facts,
                "sequences": files.sha256(folder / SEQUENCES),
                "index": {column: index[column].tolist() for column in INDEX_COLUMNS},
            }
        )
        card = TaskCard(**facts, digest=digest)
        Prepared(card, np.load(folder / SEQUENCES, mmap_mode="r"), index).write(folder)
    return Prepared.open(target), report(card, raw, index, done)


def _split(task: str, manifest: pd.DataFrame, config: TaskConfig) -> np.ndarray:
    try:
        if config.split.resample:
            splits.assign(manifest["group"].tolist(), config.split, seed=0)  # refuses too few
            return np.full(len(manifest), splits.DRAWN)
        return splits.complete(manifest["split"].tolist(), manifest["group"].tolist(), config.split)
    except GatewiseError as error:
        raise GatewiseError(f"tasks.{task}: {error}") from None


def _fits(task: str, raw: Raw, config: TaskConfig) -> None:
    needs = {"tokens": "text", "frames": "frames", "log-mel": "audio", "mfcc": "audio"}
    kind, payload = config.features.kind, raw.card.payload
    if needs[kind] != payload:
        fitting = [kind for kind, needed in needs.items() if needed == payload]
        raise GatewiseError(
            f"tasks.{task}.features.kind: {kind} needs {needs[kind]}, but the source "
            f"{config.source.kind} gives {payload}; use {' or '.join(fitting)}"
        )


def _transform(
    raw: Raw, config: TaskConfig, split: np.ndarray, folder: Path, workers: int
) -> Transformed:
    features = config.features
    if isinstance(features, Tokens):
        return _tokens(raw, features, split, folder)
    if isinstance(features, Frames):
        return _frames(raw, folder)
    return _spectra(raw, features, folder, workers)


# --- audio -------------------------------------------------------------------------------


def _spectra(raw: Raw, config: LogMel | Mfcc, folder: Path, workers: int) -> Transformed:
    import torch

    from gatewise.features import FrontEnd

    front_end = FrontEnd(config)
    done = Transformed(features=front_end.features, step_seconds=front_end.step_seconds)

    def transform(rows: list[tuple[str, str]]) -> list[tuple[np.ndarray, str]]:
        clips, contents = [], []
        for path, expected in rows:
            samples, rate, content = _decode(raw.root / path, expected)
            clips.append(front_end.clip(samples, rate))
            contents.append(content)
        if config.seconds is not None:
            sequences = list(front_end(torch.stack(clips)).numpy())
        else:
            sequences = [front_end(clip[None])[0].numpy() for clip in clips]
        return list(zip(sequences, contents, strict=True))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the pool is the parallelism
    try:
        with SequenceWriter(folder / SEQUENCES, (front_end.features,), np.float32) as writer:
            chunks = list(_chunks(raw.manifest))
            results = in_order(transform, chunks, workers)
            for sequence, content in _progress(results, len(raw.manifest), "clips"):
                writer.append(sequence)
                done.lengths.append(len(sequence))
                done.contents.append(content)
    finally:
        torch.set_num_threads(threads)
    return done


def _decode(path: Path, expected: str) -> tuple[np.ndarray, int, str]:
    """Samples `(samples, channels)`, rate in Hz, and a digest of the samples."""
    import io

    import soundfile

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch` to make it anew") from None
    if hashlib.sha256(data).hexdigest() != expected:
        raise GatewiseError(f"{path}: changed since it was fetched; run `dvc repro -f fetch`")
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise GatewiseError(f"{path}: not decodable: {error.error_string}") from None
    return samples, int(rate), hashlib.sha256(samples.tobytes()).hexdigest()


def _chunks(manifest: pd.DataFrame) -> Iterator[list[tuple[str, str]]]:
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
    function: Callable[[Item], list[Result]], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Results of `function` over `items`, flattened, in order, a few items ahead at most."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[list[Result]]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


# --- ready-made frames -------------------------------------------------------------------


def _frames(raw: Raw, folder: Path) -> Transformed:
    try:
        frames = np.load(raw.folder / FRAMES, mmap_mode="r")
    except FileNotFoundError as error:
        raise GatewiseError(f"{error.filename}: missing; run `dvc repro -f fetch`") from None
    lengths = raw.manifest["n_samples"].tolist()
    if sum(lengths) != len(frames):
        raise GatewiseError(
            f"{raw.folder / FRAMES} has {len(frames)} frames, the manifest counts {sum(lengths)}; "
            "run `dvc repro -f fetch`"
        )
    features = int(frames.shape[1])
    with SequenceWriter(folder / SEQUENCES, (features,), np.float32) as writer:
        for start in range(0, len(frames), 65_536):
            piece = frames[start : start + 65_536]
            if not np.isfinite(piece).all():
                raise GatewiseError(f"{raw.folder / FRAMES}: values that are not finite numbers")
            writer.append(piece)
    return Transformed(
        lengths=lengths,
        contents=raw.manifest["sha256"].tolist(),
        features=features,
        step_seconds=raw.card.step_seconds,
    )


# --- text --------------------------------------------------------------------------------


def _tokens(raw: Raw, config: Tokens, split: np.ndarray, folder: Path) -> Transformed:
    from gatewise import text

    training = split == "train"

    def training_documents() -> Iterator[str]:
        row = 0
        for batch in _documents(raw):
            yield from (doc for place, doc in enumerate(batch, row) if training[place])
            row += len(batch)

    tokenizer = text.train(training_documents(), config)
    text.save(tokenizer, folder / "tokenizer.json", config.max_length)
    done = Transformed(vocabulary=tokenizer.get_vocab_size())
    truncated = unknown = 0
    with SequenceWriter(folder / SEQUENCES, (), np.int32) as writer:
        for batch in _progress(_documents(raw), None, "documents"):
            sequences, cut = text.encode(tokenizer, batch, config.max_length)
            truncated += cut
            for sequence, document in zip(sequences, batch, strict=True):
                writer.append(sequence)
                unknown += int((sequence == text.UNKNOWN_ID).sum())
                done.lengths.append(len(sequence))
                done.contents.append(hashlib.sha256(normalised(document).encode()).hexdigest())
    done.figures = {
        "truncated_share": truncated / len(done.lengths),
        "unknown_share": unknown / sum(done.lengths),
    }
    return done


def _documents(raw: Raw) -> Iterator[list[str]]:
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(raw.folder / DOCUMENTS)
    except FileNotFoundError:
        raise GatewiseError(
            f"{raw.folder / DOCUMENTS}: missing; run `dvc repro -f fetch`"
        ) from None
    for batch in file.iter_batches(batch_size=1_000, columns=["text"]):
        yield batch.column(0).to_pylist()


# --- report ------------------------------------------------------------------------------


def report(card: TaskCard, raw: Raw, index: pd.DataFrame, done: Transformed) -> dict[str, Any]:
    """Counts that let a person judge the data; a DVC metric."""
    names = index["label"].map(dict(enumerate(card.labels)))
    result: dict[str, Any] = {
        "title": card.title,
        "synthetic": card.synthetic,
        "digest": card.digest,
        "examples": len(index),
        "groups": int(index["group"].nunique()),
        "labels": len(card.labels),
        "duplicates": len(done.contents) - len(set(done.contents)),
        "skipped": raw.card.skipped,
        "steps": _quantiles(index["length"]),
    }
    if raw.card.payload == "audio":
        seconds = raw.manifest["n_samples"] / raw.manifest["sample_rate"]
        result["seconds"] = {**_quantiles(seconds), "total": round(float(seconds.sum()), 1)}
    result |= {key: round(value, 5) for key, value in done.figures.items()}
    if card.vocabulary is not None:
        result["vocabulary"] = card.vocabulary
    if card.resample:
        result["split"] = f"drawn for each seed from {result['groups']} groups"
        result["label_counts"] = names.value_counts().sort_index().to_dict()
    else:
        result["splits"] = {
            name: {
                "examples": int(rows.sum()),
                "groups": int(index.loc[rows, "group"].nunique()),
                "label_counts": names[rows].value_counts().sort_index().to_dict(),
            }
            for name in SPLITS
            for rows in [index["split"] == name]
        }
    return result


def _quantiles(values: pd.Series[Any]) -> dict[str, float]:
    points = {"min": 0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1}
    return {name: round(float(values.quantile(point)), 3) for name, point in points.items()}


def _progress(items: Iterable[Result], total: int | None, what: str) -> Iterator[Result]:
    from rich.console import Console
    from rich.progress import track

    yield from track(
        items,
        description=f"preparing {what}",
        total=total,
        console=Console(stderr=True),
        transient=True,
    )
