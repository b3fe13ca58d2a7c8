"""The number of seeds is changed wherever and however it was written, and nothing else is."""

import pytest

from gatewise import config
from gatewise.delivery.retraining.params import with_seeds
from gatewise.errors import GatewiseError

BEFORE = """\
# A study.
tasks: {toy: {source: {kind: digits},   features: {kind: frames}}}   # one task
variants:
    gru:   {cell: gru, hidden: 8}   # odd   spaces
"""
AFTER = """
# How it is trained.
train:
  epochs: 3
"""


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("seeds: 8", "seeds: 3"),
        ("seeds: auto", "seeds: 3"),
        ("seeds:    8   # enough for Holm", "seeds: 3   # enough for Holm"),
        ("'seeds': 8", "'seeds': 3"),
        ("seeds: [0, 1, 5]", "seeds: 3"),
        ("seeds:\n- 0\n- 1", "seeds: 3"),
        ("seeds: |-\n  auto", "seeds: 3"),
        ("seeds:\n    first: 4 # so many\n    step: 2\n    cap:\n      16", "seeds: 3"),
        ("seeds: {first: 4, step: 2, cap: 9}  # in rounds", "seeds: 3  # in rounds"),
        ("seeds: {first: 4,\n        cap: 9}", "seeds: 3"),
        ("seeds:\n  first: 4\n  # at most\n  cap: 9", "seeds: 3"),
        (
            "seeds:  # in rounds\n  # as the plan says\n  cap: 9",
            "seeds: 3  # in rounds\n  # as the plan says",
        ),
    ],
)
@pytest.mark.parametrize("after", ["", AFTER], ids=["last", "amid"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_only_the_value_is_replaced(tmp_path, written, becomes, after, end):
    path = tmp_path / "params.yaml"
    text = f"{BEFORE}\n{written}\n{after}"
    path.write_bytes(text.replace("\n", end).encode())
    assert with_seeds(3, path).seed_list == [0, 1, 2]
    wanted = f"{BEFORE}\n{becomes}\n{after}"
    assert path.read_bytes().decode() == wanted.replace("\n", end)


def test_a_study_that_did_not_say_gets_a_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(BEFORE)
    assert with_seeds(3, path).seed_list == [0, 1, 2]
    assert path.read_text() == f"{BEFORE}\nseeds: 3\n"


@pytest.mark.parametrize("seeds", ["", "seeds: auto, ", "seeds: {cap: 9}, "])
def test_a_study_in_one_flow_mapping(tmp_path, seeds):
    path = tmp_path / "params.yaml"
    rest = (
        "tasks: {toy: {source: {kind: digits}, features: {kind: frames}}}, "
        "variants: {gru: {cell: gru, hidden: 8}}"
    )
    path.write_text(f"{{{seeds}{rest}}}  # all in one\n")
    with_seeds(3, path)
    assert path.read_text() == f"{{seeds: 3, {rest}}}  # all in one\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{BEFORE}seeds: 0\n",
        f"{BEFORE}train: {{epochs: &n 4}}\nseeds: *n\n",
        f"{BEFORE}seeds: &n 4\ntrain: {{epochs: *n}}\n",
        f"{BEFORE}seeds: [\n",
    ],
    ids=["no study", "another value's", "another value too", "no YAML"],
)
def test_what_cannot_be_changed_alone_is_refused_and_left(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(GatewiseError, match=r"params\.yaml: "):
        with_seeds(3, path)
    assert path.read_text() == text


def test_rounds_that_went_further_are_forgotten(tmp_path):
    (tmp_path / config.SEEDS_LOCK).write_text("reached: 12\n")
    path = tmp_path / "params.yaml"
    path.write_text(f"{BEFORE}seeds: auto\n")
    assert len(config.load(path).seed_list) == 12
    assert with_seeds(3, path).seed_list == [0, 1, 2]
