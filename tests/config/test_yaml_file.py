"""YAML that no study needs is refused before it takes memory or time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import config
from gatewise.config import yaml_file
from gatewise.errors import GatewiseError

STUDY = """
tasks:
  digits: {source: {kind: digits}, features: {kind: frames}}
variants:
  lstm: {cell: lstm, hidden: 8}
"""


def laughs(levels=9):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", r"line 3: key 'a' stands twice \(first in line 1\)"),
        ("x: {hidden: 8, hidden: 9}", "line 1: key 'hidden' stands twice"),
        ("x:\n  - {a: 1}\n  - {b: 1, c: 2, b: 3}", "line 3: key 'b' stands twice"),
        ("[a, b]: 1", "line 1: a key must be a word"),
        ("a: " + "[" * 100_000, "nested more than 30 levels"),
        ("a: " + "{a: " * 1000, "nested more than 30 levels"),
        (laughs(), "more than 200,000 values with every alias written out"),
        ("a: &a [*a]", "an alias that holds itself"),
        ("a: !!python/object/apply:os.system [ls]", "not readable as YAML"),
        ("a: " + "9" * 10_000, "not readable as YAML"),
        ("a: 2001-99-99", "not readable as YAML"),
        ("a: [", "not readable as YAML"),
        ("\0", "not readable as YAML"),
        ("# " + "x" * 2**20, "longer than 1,048,576 bytes"),
    ],
)
def test_each_kind_is_one_sentence_and_quick(tmp_path, text, reason):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(GatewiseError, match=reason) as info:
        yaml_file.read(path)
    assert str(path) in str(info.value)
    assert len(str(info.value)) < 1000


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"a: \xff")
    with pytest.raises(GatewiseError, match="not readable as YAML"):
        yaml_file.read(path)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_what_yaml_writes_is_read_as_it_was(tmp_path_factory, value):
    import yaml

    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    assert yaml_file.read(path) == value


def test_anchors_and_merges_may_be_used(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\nmore: [*base, *base]\n")
    assert yaml_file.read(path)["other"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("seeds: 1000000000", "seeds"),
        ("seeds: [5000000000]", "seeds"),
        ("execution: {threads_per_run: 1000000}", "execution.threads_per_run.*1024"),
        ("execution: {threads_per_run: -1}", "execution.threads_per_run.*greater"),
        ("train: {epochs: 10000000000}", "train.epochs.*100000"),
        ("train: {learning_rate: .inf}", "train.learning_rate.*finite"),
        ("train: {batch_size: " + "9" * 4000 + "}", "train.batch_size"),
        ("compare: {resamples: 1000000000}", "compare.resamples.*1000000"),
        ("probes: {adding_lengths: [1000000000]}", "probes.adding_lengths.*100000"),
        ("probes: {gradient_length: 1000000000}", "probes.gradient_length.*100000"),
        ("probes: {seeds: 1000000000}", "probes.seeds.*10000"),
    ],
)
def test_bounds_are_named_with_the_key(tmp_path, settings, reason):
    path = tmp_path / "params.yaml"
    path.write_text(f"{STUDY}{settings}\n")
    with pytest.raises(GatewiseError, match=f"(?s){reason}") as info:
        config.load(path)
    assert len(str(info.value)) < 3000


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("{cell: lstm, hidden: 200000}", "variants.lstm.hidden.*16384"),
        ("{cell: lstm, hidden: 16384, layers: 64}", "variants.lstm.*4,000,000,000 are taken"),
        ("{cell: lstm, hidden: 8, layers: 1000000}", "variants.lstm.layers.*64"),
    ],
)
def test_models_that_fit_no_machine_are_refused(tmp_path, variant, reason):
    path = tmp_path / "params.yaml"
    path.write_text(STUDY.replace("{cell: lstm, hidden: 8}", variant))
    with pytest.raises(GatewiseError, match=f"(?s){reason}"):
        config.load(path)


@pytest.mark.parametrize(
    ("source", "features", "reason"),
    [
        ("{kind: synthetic-commands}", "{kind: log-mel, seconds: 1.0e+12}", "seconds.*3600"),
        ("{kind: synthetic-commands, takes: 1000000000}", "{kind: log-mel}", "takes.*1000"),
    ],
)
def test_data_beyond_any_study_are_refused(tmp_path, source, features, reason):
    task = f"{{source: {source}, features: {features}}}"
    path = tmp_path / "params.yaml"
    path.write_text(STUDY.replace("{source: {kind: digits}, features: {kind: frames}}", task))
    with pytest.raises(GatewiseError, match=f"(?s){reason}"):
        config.load(path)


def test_names_have_a_length(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(STUDY.replace("  lstm:", f"  {'l' * 300}:"))
    with pytest.raises(GatewiseError, match="has 300 characters, at most 100"):
        config.load(path)


def test_a_lock_may_be_long_but_not_deep():
    lock = "stages:\n" + "".join(f"  s{i}:\n    cmd: {i}\n" for i in range(2_000))
    assert len(yaml_file.parse(lock, "dvc.lock", yaml_file.MOST_LOCKED)["stages"]) == 2_000
    with pytest.raises(GatewiseError, match=r"dvc\.lock: line 2: more than 1,000 values"):
        yaml_file.parse(lock, "dvc.lock", 1_000)
    yaml_file.require_shallow(lock, "dvc.lock")
    yaml_file.require_shallow("stages: [cut", "dvc.lock")  # another fault than depth
    with pytest.raises(GatewiseError, match=r"dvc\.lock: line 1: nested more than 30"):
        yaml_file.require_shallow("[" * 100_000, "dvc.lock")
