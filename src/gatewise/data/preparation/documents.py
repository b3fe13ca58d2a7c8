"""Documents to sequences of token ids."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gatewise.artifacts.manifest import (
    DOCUMENTS,
    Raw,
    normalised,
    text_sha256,
)
from gatewise.artifacts.prepared import SEQUENCES, TOKENIZER
from gatewise.config import Tokens
from gatewise.data.frontends import text
from gatewise.data.preparation.parallel import progress
from gatewise.data.preparation.sequence_writer import SequenceWriter
from gatewise.data.preparation.transformed import Transformed
from gatewise.errors import GatewiseError
from gatewise.files import reading


def transform(raw: Raw, config: Tokens, split: np.ndarray, folder: Path) -> Transformed:
    """Train a tokenizer on the documents whose `split` is `train`, and encode all of them.

    Raises:
        GatewiseError: the documents are missing.
    """
    from gatewise.data.frontends import tokens

    def training_documents() -> Iterator[str]:
        for row, document in enumerate(itertools.chain.from_iterable(read(raw))):
            if split[row] == "train" and text.problem(document) is None:
                yield text.clean(document)

    tokenizer = tokens.train(training_documents(), config)
    tokens.save(tokenizer, folder / TOKENIZER, config.max_length)
    done = Transformed(vocabulary=tokenizer.get_vocab_size())
    seen = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    truncated = unknown = steps = 0
    with SequenceWriter(folder / SEQUENCES, (), np.int32) as writer:
        for batch in progress(read(raw), len(split), "documents", len):
            problems = [text.problem(document) for document in batch]
            usable = [
                "" if problem else text.clean(document)
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
                done.contents.append(text_sha256(normalised(document)))
    done.unlearned = tokens.unlearned(tokenizer, seen)
    done.figures = {
        "truncated_share": truncated / len(done.lengths),
        "unknown_share": unknown / max(1, steps),
    }
    return done


def read(raw: Raw) -> Iterator[list[str]]:
    """The documents in the manifest's order, a thousand at a time at most.

    Raises:
        GatewiseError: the file is missing.
    """
    import pyarrow.parquet

    path = raw.folder / DOCUMENTS
    try:
        with reading(path, "run `dvc repro -f fetch`"), pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1_000, columns=["text"]):
                yield batch.column(0).to_pylist()
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro -f fetch`") from None


def reader(raw: Raw) -> Callable[[int], str]:
    """Random access to documents by their row, without holding them all."""
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(raw.folder / DOCUMENTS)
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = np.cumsum(sizes)

    @functools.lru_cache(maxsize=8)
    def group(number: int) -> Any:
        return file.read_row_group(number, columns=["text"]).column(0)

    def text_of(row: int) -> str:
        number = int(np.searchsorted(ends, row, side="right"))
        return str(group(number)[row - int(ends[number]) + sizes[number]].as_py())

    return text_of
