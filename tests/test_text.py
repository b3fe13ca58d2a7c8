from pathlib import Path

import pytest
from tokenizers import Tokenizer

from gatewise import text
from gatewise.config import Tokens

DOCUMENTS = ["The film, the FILM!", "a fílm of the year", "the year of the film"] * 3


@pytest.mark.parametrize("kind", ["word", "bpe", "character"])
def test_special_tokens_and_determinism(kind: str) -> None:
    config = Tokens(kind="tokens", tokenizer=kind, vocabulary=60)
    first, again = (text.train(DOCUMENTS, config) for _ in range(2))
    assert first.to_str() == again.to_str()
    assert first.token_to_id(text.PAD) == text.PAD_ID
    assert first.token_to_id(text.UNKNOWN) == text.UNKNOWN_ID
    arrays, _ = text.encode(first, ["the film"], 60)
    assert text.UNKNOWN_ID not in arrays[0]
    assert arrays[0].dtype == "int32"


def test_words_fold_case_and_accents() -> None:
    tokenizer = text.train(DOCUMENTS, Tokens(kind="tokens"))
    arrays, _ = text.encode(tokenizer, ["film FÍLM"], 10)
    assert len(set(arrays[0].tolist())) == 1


def test_words_unseen_in_training_are_unknown() -> None:
    tokenizer = text.train(DOCUMENTS, Tokens(kind="tokens"))
    arrays, _ = text.encode(tokenizer, ["the zebra"], 10)
    assert arrays[0][1] == text.UNKNOWN_ID != arrays[0][0]


def test_characters_keep_spaces() -> None:
    tokenizer = text.train(DOCUMENTS, Tokens(kind="tokens", tokenizer="character"))
    arrays, _ = text.encode(tokenizer, ["a film"], 10)
    assert len(arrays[0]) == 6
    assert text.UNKNOWN_ID not in arrays[0]


def test_cut_documents_are_counted_and_empty_ones_kept() -> None:
    tokenizer = text.train(DOCUMENTS, Tokens(kind="tokens"))
    arrays, cut = text.encode(tokenizer, ["the film of the year", "", "the film"], 3)
    assert [len(array) for array in arrays] == [3, 1, 2]
    assert cut == 1


def test_saved_tokenizer_truncates_alike(tmp_path: Path) -> None:
    tokenizer = text.train(DOCUMENTS, Tokens(kind="tokens"))
    text.save(tokenizer, tmp_path / "tokenizer.json", 3)
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    arrays, _ = text.encode(tokenizer, ["the film of the year"], 3)
    assert loaded.encode("the film of the year").ids == arrays[0].tolist()
