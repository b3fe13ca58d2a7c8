from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from gatewise.config import Tokens
from gatewise.data.frontends import tokens

DOCUMENTS = ["The film, the FILM!", "a fílm of the year", "the year of the film"] * 3


@pytest.mark.parametrize("kind", ["word", "bpe", "character"])
def test_special_tokens_and_determinism(kind: str) -> None:
    config = Tokens(kind="tokens", tokenizer=kind, vocabulary=60)
    first, again = (tokens.train(DOCUMENTS, config) for _ in range(2))
    assert first.to_str() == again.to_str()
    assert first.token_to_id(tokens.PAD) == tokens.PAD_ID
    assert first.token_to_id(tokens.UNKNOWN) == tokens.UNKNOWN_ID
    arrays = tokens.encode(first, ["the film"])
    assert tokens.UNKNOWN_ID not in arrays[0]
    assert arrays[0].dtype == "int32"


def test_words_fold_case_and_accents() -> None:
    tokenizer = tokens.train(DOCUMENTS, Tokens(kind="tokens"))
    arrays = tokens.encode(tokenizer, ["film FÍLM"])
    assert len(set(arrays[0].tolist())) == 1


def test_words_unseen_in_training_are_unknown() -> None:
    tokenizer = tokens.train(DOCUMENTS, Tokens(kind="tokens"))
    arrays = tokens.encode(tokenizer, ["the zebra"])
    assert arrays[0][1] == tokens.UNKNOWN_ID != arrays[0][0]


def test_characters_keep_spaces() -> None:
    tokenizer = tokens.train(DOCUMENTS, Tokens(kind="tokens", tokenizer="character"))
    arrays = tokens.encode(tokenizer, ["a film"])
    assert len(arrays[0]) == 6
    assert tokens.UNKNOWN_ID not in arrays[0]


def test_empty_documents_are_one_unknown_token() -> None:
    tokenizer = tokens.train(DOCUMENTS, Tokens(kind="tokens"))
    arrays = tokens.encode(tokenizer, ["the film of the year", "", "the film"])
    assert [array.tolist() for array in arrays][1] == [tokens.UNKNOWN_ID]
    assert [len(array) for array in arrays] == [5, 1, 2]


def test_saved_tokenizer_truncates(tmp_path: Path) -> None:
    tokenizer = tokens.train(DOCUMENTS, Tokens(kind="tokens"))
    tokens.save(tokenizer, tmp_path / "tokenizer.json", 3)
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    arrays = tokens.encode(tokenizer, ["the film of the year"])
    assert loaded.encode("the film of the year").ids == arrays[0][:3].tolist()


@pytest.mark.parametrize("kind", ["word", "bpe", "character"])
def test_entries_that_training_cannot_have_given_are_found(kind: str) -> None:
    config = Tokens(kind="tokens", tokenizer=kind, vocabulary=60, min_frequency=1)
    for documents, wanted in ((DOCUMENTS, set()), ([*DOCUMENTS, "zzyzx zzyzx"], {"z"})):
        tokenizer = tokens.train(documents, config)
        seen = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
        for ids in tokens.encode(tokenizer, DOCUMENTS):
            seen[ids] = True
        entries = tokens.unlearned(tokenizer, seen)
        assert bool(entries) == bool(wanted)
        assert all("z" in entry or "x" in entry for entry in entries)
