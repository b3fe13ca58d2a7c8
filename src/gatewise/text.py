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


def encode(
    tokenizer: Tokenizer, documents: Sequence[str], max_length: int
) -> tuple[list[np.ndarray], int]:
    """Token ids of each document, cut after `max_length`.

    Returns:
        int32 `(steps,)` arrays, never empty (a document without a token is one unknown
        token), and how many documents were cut.
    """
    encoded = [item.ids for item in tokenizer.encode_batch_fast(list(documents))]
    arrays = [np.array(ids[:max_length] or [UNKNOWN_ID], dtype=np.int32) for ids in encoded]
    return arrays, sum(len(ids) > max_length for ids in encoded)


def save(tokenizer: Tokenizer, path: Path, max_length: int) -> None:
    """Write `tokenizer.json`; whoever loads it truncates as preparation did."""
    tokenizer.enable_truncation(max_length)
    tokenizer.save(str(path))
    tokenizer.no_truncation()
