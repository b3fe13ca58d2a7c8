"""What is in the data: measured on what the source gives, by the functions of preparation."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from gatewise.artifacts.manifest import Raw, normalised, text_sha256
from gatewise.config import Tokens
from gatewise.config.tasks import LEAKS
from gatewise.data.frontends import text
from gatewise.data.frontends.decoding import Unusable, decode
from gatewise.data.preparation import certificate, documents, near_duplicates
from gatewise.data.understanding import scripts
from gatewise.data.understanding.record import ImageSizes
from gatewise.errors import GatewiseError
from gatewise.files import cores, read_regular

LISTENED_CLIPS = 2_000
LISTENED_BYTES = 400_000_000
"""Sounds and images that are decoded to look at; of more a sample, drawn by a hash of names."""
LONGEST_LISTENED = 50_000_000
"""Bytes of one file, beyond which it is not decoded: it would be held in memory."""
COMPARED_TEXTS = 100_000
"""Texts among which near-duplicates are looked for."""
SCRIPT_TEXTS = 2_000
FRAME_SECONDS = 0.02
LOUD = 10 ** (-30 / 20)
"""Of the loudest frame's root mean square: 30 dB below it speech and strokes have ended."""


@dataclass
class Facts:
    """What was measured; the fields are those of `Understanding`."""

    lengths: np.ndarray
    active_lengths: np.ndarray | None = None
    rates: dict[int, int] = field(default_factory=dict)
    word_counts: np.ndarray | None = None
    script: Literal["words", "characters"] | None = None
    duplicates: int = 0
    contradictions: int = 0
    leaks: dict[str, int] = field(default_factory=dict)
    unusable: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    sampled: int | None = None
    images: ImageSizes | None = None


# --- sounds --------------------------------------------------------------------------------


def of_sounds(raw: Raw) -> Facts:
    """Facts of fetched sounds: all headers, and the samples of some."""
    rows = raw.manifest
    sizes = np.array([raw.locate(path).stat().st_size for path in rows["path"]], dtype=np.int64)
    usable = (rows["n_samples"] > 0) & (rows["sample_rate"] > 0)
    seconds = (rows["n_samples"] / rows["sample_rate"].where(usable))[usable].to_numpy(np.float64)
    places = drawn(rows["path"].tolist(), sizes)
    with ThreadPoolExecutor(cores()) as pool:
        heard = list(pool.map(lambda place: _listen(raw, rows["path"].iloc[place]), places))
    unusable = Counter(reason for reason, _ in heard if reason)
    listened = set(places)
    unheard = [place for place in np.flatnonzero(~usable) if place not in listened]
    if unheard:
        unusable["not decodable as sound"] += len(unheard)
    active = np.sort(np.array([length for _, length in heard if length is not None]))
    rates = Counter(rows.loc[usable, "sample_rate"].astype(int).tolist())
    duplicates, contradictions = repeated(rows["sha256"], rows["label"])
    return Facts(
        lengths=np.sort(seconds),
        active_lengths=active,
        rates=dict(rates.most_common()),
        duplicates=duplicates,
        contradictions=contradictions,
        leaks=leaks(rows.assign(content=rows["sha256"])),
        unusable=dict(unusable),
        bytes=int(sizes.sum()),
        sampled=len(places) if len(places) < len(rows) else None,
    )


def drawn(names: list[str], sizes: np.ndarray) -> list[int]:
    """Rows that are decoded: all, or a draw that follows no order of the names."""
    order = sorted(range(len(names)), key=lambda row: hashlib.sha256(names[row].encode()).digest())
    chosen: list[int] = []
    total = 0
    for row in order:
        if sizes[row] > LONGEST_LISTENED:
            continue
        if len(chosen) == LISTENED_CLIPS or total + sizes[row] > LISTENED_BYTES:
            break
        chosen.append(row)
        total += int(sizes[row])
    return sorted(chosen)


def _listen(raw: Raw, path: str) -> tuple[str | None, float | None]:
    """Why a sound cannot be used, or the seconds between its first and last loud frame."""
    try:
        clip = decode(read_regular(raw.locate(path)))
    except Unusable as reason:
        return str(reason).split(" (", maxsplit=1)[0], None
    return None, active_seconds(clip.samples, clip.rate)


def active_seconds(samples: np.ndarray, rate: int) -> float:
    """Seconds from the first to the last loud frame of `samples` `(samples, channels)`."""
    width = max(1, round(FRAME_SECONDS * rate))
    mono = samples.mean(axis=1)
    count = -(-len(mono) // width)
    frames = np.pad(mono, (0, count * width - len(mono))).reshape(count, width)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(power >= LOUD**2 * power.max())
    return min(len(mono), (int(loud[-1]) - int(loud[0]) + 1) * width) / rate


# --- texts ---------------------------------------------------------------------------------


def of_texts(raw: Raw, size: int) -> Facts:
    """Facts of fetched texts; `size` of their files in bytes."""
    rows = raw.manifest
    some = itertools.islice(_documents(raw), SCRIPT_TEXTS)
    script = scripts.of(some)
    lengths, counts = counted(raw, script)
    problems = [text.problem(document) for document in _documents(raw)]
    contents = pd.Series(
        [text_sha256(normalised(one)) for one in _documents(raw)], index=rows.index
    )
    good = np.array([problem is None for problem in problems], dtype=bool)
    duplicates, contradictions = repeated(contents[good], rows["label"][good])
    rows = rows.assign(content=contents)
    return Facts(
        lengths=np.sort(lengths[good]).astype(np.float64),
        word_counts=counts,
        script=script,
        duplicates=duplicates,
        contradictions=contradictions,
        leaks=_text_leaks(raw, rows, good),
        unusable=dict(Counter(problem for problem in problems if problem)),
        bytes=size,
    )


def _documents(raw: Raw) -> Iterator[str]:
    return itertools.chain.from_iterable(documents.read(raw))


def counted(raw: Raw, script: str) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of every text `(texts,)`, and how often each distinct one is in training texts."""
    from gatewise.data.frontends import tokens

    unit: Literal["word", "character"] = "character" if script == "characters" else "word"
    everything = Tokens(kind="tokens", tokenizer=unit, vocabulary=1_000_000, min_frequency=1)
    training = (raw.manifest["split"].isin(["", "train"])).to_numpy()
    learned = (
        text.clean(document) for row, document in enumerate(_documents(raw)) if training[row]
    )
    tokenizer = tokens.train(learned, everything)
    counts = np.zeros(tokenizer.get_vocab_size(), np.int64)
    lengths: list[int] = []
    for batch in documents.read(raw):
        for ids in tokens.encode(tokenizer, [text.clean(document) for document in batch]):
            if training[len(lengths)]:
                np.add.at(counts, ids, 1)
            lengths.append(len(ids))
    counts[[tokens.PAD_ID, tokens.UNKNOWN_ID]] = 0
    return np.array(lengths, np.int64), np.sort(counts[counts > 0])[::-1]


def _text_leaks(raw: Raw, rows: pd.DataFrame, good: np.ndarray) -> dict[str, int]:
    if not rows["split"].any() or len(rows) > COMPARED_TEXTS:
        return leaks(rows[good])
    keys, places = near_duplicates.band_keys(_documents(raw)), np.flatnonzero(good)
    text_of = documents.reader(raw)
    return leaks(rows[good], keys[good], lambda place: text_of(int(places[place])))


# --- both ----------------------------------------------------------------------------------


def repeated(contents: pd.Series, labels: pd.Series) -> tuple[int, int]:
    """Examples with the content of an earlier one, and contents under several labels."""
    by_content = labels.groupby(contents).nunique()
    return int(contents.duplicated().sum()), int((by_content > 1).sum())


def leaks(
    rows: pd.DataFrame,
    keys: np.ndarray | None = None,
    text_of: Callable[[int], str] | None = None,
) -> dict[str, int]:
    """What crosses published splits, by the checks of the certificate that can be accepted."""
    if not rows["split"].any():
        return {}
    findings = certificate.certify(rows, resample=False, keys=keys, text_of=text_of)
    counts = {one.leak: one.count for one in findings if one.leak in LEAKS}
    # The certificate asks for all three splits; here only those count that are published.
    parts = rows.groupby("label")["split"].nunique()
    counts["labels"] = int((parts < rows["split"].nunique()).sum())
    return {leak: count for leak, count in counts.items() if count}


def require_examples(raw: Raw) -> None:
    """Refuse data without a single example that has content.

    Raises:
        GatewiseError: none has.
    """
    formats = {"audio": ("sound", "wav or flac"), "image": ("image", "PNG or JPEG")}
    if raw.card.payload in formats and not (raw.manifest["n_samples"] > 0).any():
        what, usual = formats[raw.card.payload]
        first = raw.manifest["path"].iloc[0]
        raise GatewiseError(
            f"{raw.locate(first)}: cannot be decoded as {what}, nor can any other of "
            f"{len(raw.manifest):,}; convert them to {usual}"
        )
