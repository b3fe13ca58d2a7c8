"""Documents to sequences of token ids (Hugging Face tokenizers)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from gatewise.config import Tokens

PAD, UNKNOWN = "[PAD]", "[UNK]"
PAD_ID, UNKNOWN_ID = 0, 1


def train(documents: Iterable[str], config: Tokens) -> Tokenizer:
    """A tokenizer whose vocabulary comes from `documents` alone (the training split)."""
    tokenizer = Tokenizer(
        models.BPE(unk_token=UNKNOWN)
        if config.tokenizer == "bpe"
        else models.WordLevel(unk_token=UNKNOWN)
    )
    tokenizer.normalizer = (
        normalizers.Sequence(
            [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
        )
        if config.lowercase
        else normalizers.NFC()
    )
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        if config.tokenizer == "character"
        else pre_tokenizers.Whitespace()  # words, and runs of punctuation
    )
    trainer = (trainers.BpeTrainer if config.tokenizer == "bpe" else trainers.WordLevelTrainer)(
        vocab_size=config.vocabulary,
        min_frequency=config.min_frequency,
        special_tokens=[PAD, UNKNOWN],
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, documents: Sequence[str]) -> list[np.ndarray]:
    """Token ids of each whole document.

    Returns:
        int32 `(steps,)` arrays, never empty: a document without a token is one unknown token.
    """
    encoded = tokenizer.encode_batch_fast(list(documents))
    return [np.array(item.ids or [UNKNOWN_ID], dtype=np.int32) for item in encoded]


def unlearned(tokenizer: Tokenizer, seen: np.ndarray) -> list[str]:
    """Vocabulary entries that documents which use only the entries `seen` cannot have given.

    An entry that never comes out may still have been a step of byte-pair merging on the way
    to one that does; then it is a part of it.

    Args:
        tokenizer: a trained tokenizer.
        seen: bool `(vocabulary,)`, whether an id came out of the training documents.
    """
    names = {number: name for name, number in tokenizer.get_vocab().items()}
    merges = isinstance(tokenizer.model, models.BPE)
    known = "\0".join(name for number, name in names.items() if seen[number]) if merges else ""
    special = {PAD, UNKNOWN}
    return [
        names[number]
        for number in np.flatnonzero(~seen).tolist()
        if names[number] not in special and names[number] not in known
    ]


def save(tokenizer: Tokenizer, path: Path, max_length: int) -> None:
    """Write `tokenizer.json`; whoever loads it truncates as preparation did."""
    tokenizer.enable_truncation(max_length)
    tokenizer.save(str(path))
    tokenizer.no_truncation()
