"""Studies of pairs, transcripts and series: valid whatever the data, each rule where it applies."""

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import config
from gatewise.data.understanding.record import Said, Steps
from gatewise.errors import GatewiseError
from gatewise.repro.studies import proposal, transcripts, unlabelled, writing
from gatewise.repro.studies.choices import plain
from tests.repro.studies.understandings import pace, sounds, texts


def said(unit="word", counts=(400, 90, 30, 20, 2, 1), lengths=(3, 5, 9), **changes):
    fields = {"several": 0, "unheard": 0} | changes
    return Said(unit, np.array(lengths, dtype=float), np.array(counts, dtype=np.int64), **fields)


def pairs(**changes):
    fields = {
        "objective": "generate",
        "labels": {},
        "source": {"kind": "text-pairs", "path": "pairs.csv"},
        "split_sizes": {"train": 5000},
        "said": said(),
    }
    return texts(**fields | changes)


def spoken(**changes):
    fields = {
        "objective": "transcribe",
        "labels": {},
        "source": {"kind": "transcripts", "path": "spoken"},
        "said": said(),
        "lengths": np.full(1000, 2.0),
    }
    return sounds(**fields | changes)


def series(**changes):
    fields = {
        "kind": "series",
        "objective": "forecast",
        "labels": {},
        "source": {"kind": "series", "path": "visits.csv"},
        "split_sizes": {"train": 50},
        "lengths": np.full(50, 120.0),
        "rates": {},
        "steps": Steps("month", 12, 12),
    }
    return sounds(**fields | changes)


def proposed(data, minutes=10.0, step=0.01, **keys):
    return proposal.propose(data, minutes, timer=pace(step), **keys)


def task(data, **keys):
    return plain(proposed(data, **keys).sections)["tasks"][data.name]


@st.composite
def anything(draw):
    """Whatever can be understood of such data."""
    examples = draw(st.integers(60, 200_000))
    groups = draw(st.none() | st.integers(3, examples))
    published = draw(st.booleans())
    common = {
        "split_sizes": {"train": examples - 20, "test": 20} if published else {"train": examples},
        "splits": "published" if published else "none",
        "groups": groups,
        "largest_group": groups and 1,
        "unusable": draw(st.dictionaries(st.text(max_size=9), st.integers(1, 9), max_size=2)),
    }
    counts = sorted(draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=40)), reverse=True)
    lengths = sorted(draw(st.lists(st.integers(1, 3000), min_size=1, max_size=9)))
    unit = draw(st.sampled_from(["word", "character"]))
    wanted = said(unit, counts, lengths, several=draw(st.integers(0, 9)))
    steps = Steps("day", draw(st.integers(1, 400)), draw(st.integers(1, 400)))
    seconds = np.sort(draw(st.lists(st.floats(0.02, 90), min_size=1, max_size=9)))
    return draw(
        st.sampled_from(
            [
                pairs(**common, said=wanted, script=draw(st.sampled_from(["words", "characters"]))),
                spoken(**common, said=wanted, lengths=np.array(seconds)),
                series(**common, steps=steps, lengths=np.array(lengths, dtype=float)),
            ]
        )
    )


@settings(max_examples=60, deadline=None)
@given(
    data=anything(),
    minutes=st.sampled_from([0.1, 1.0, 10.0, 600.0]),
    step=st.floats(1e-4, 3.0),
    rnn=st.booleans(),
)
def test_whatever_is_understood_gives_a_study_that_loads(data, minutes, step, rnn):
    found = proposed(data, minutes, step, rnn=rnn)
    study = config.parse(yaml.safe_load(writing.render(found)))
    assert study == found.study
    (made,) = study.tasks.values()
    assert made.objective.kind == data.objective
    assert set(study.variants) == {"lstm", "gru", "gru-matched"} | ({"rnn"} if rnn else set())
    train = study.train_for(data.name)
    assert 2 <= train.epochs <= 80
    assert train.average_last is None or train.average_last <= train.epochs


@pytest.mark.parametrize("data", [pairs(), spoken(), series()])
def test_every_choice_that_rests_on_the_data_says_why(data):
    lines = writing.render(proposed(data)).splitlines()
    silent = (
        "kind:",
        "n_mels:",
        "batch_size:",
        "dropout:",
        "weight_decay:",
        "tokenizer:",
        "labels:",
    )
    for place, line in enumerate(lines):
        key = line.strip()
        if (
            key.startswith("#")
            or not key
            or key.endswith((":", "_lengths: []"))
            or key.startswith(silent)
        ):
            continue
        assert "#" in line or lines[place - 1].strip().startswith("#"), line


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ({}, "bleu"),
        ({"said": said(lengths=(1, 2, 3))}, "token_error_rate"),
        ({"script": "characters"}, "token_error_rate"),
        ({"script": "characters", "said": said("character")}, "bleu"),
    ],
)
def test_pairs_are_judged_by_what_their_length_allows(changes, metric):
    assert task(pairs(**changes))["metric"] == metric


def test_pairs_are_read_both_ways_and_attended_to():
    found = proposed(pairs()).study
    assert found.tasks["questions"].objective.attention == "dot"
    assert all(variant.bidirectional for variant in found.variants.values())
    assert found.variants["lstm"].hidden == 128
    assert proposed(pairs(split_sizes={"train": 900})).study.variants["lstm"].hidden == 64


def test_words_that_stand_once_are_not_said():
    objective = task(pairs())["objective"]
    assert (objective["vocabulary"], objective["min_frequency"]) == (10, 2)
    letters = task(pairs(said=said("character", counts=[9] * 23)))["objective"]
    assert (letters["vocabulary"], letters["min_frequency"]) == (30, 1)


def test_sounds_are_not_cropped_and_dense_ones_have_shorter_steps():
    features = task(spoken())["features"]
    assert "seconds" not in features
    assert features["hop_length"] == 480, "30 ms for words"
    dense = task(spoken(said=said("character", lengths=(90, 100, 110))))["features"]
    steps = 2.0 * features["sample_rate"] / dense["hop_length"]
    assert steps >= transcripts.ROOM * 100


def test_symbols_that_a_split_may_lack_are_allowed_by_name():
    assert "2 symbols stand fewer" in task(spoken())["allow"]["labels"]
    assert "allow" not in task(spoken(said=said(counts=(90, 30))))


def test_history_holds_seasons_and_windows_are_not_too_many():
    found = task(series())
    assert found["features"] == {"kind": "series", "history": 36, "stride": 1}
    assert "split" not in found
    assert found["objective"] == {"kind": "forecast", "horizon": 12, "season": 12}
    many = task(series(split_sizes={"train": 3000}, lengths=np.full(3000, 500.0)))["features"]
    assert many["stride"] == 56
    assert task(series(steps=Steps("day", 1, 6)))["features"]["history"] == 12


def test_a_metric_of_other_work_is_refused():
    assert task(pairs(), metric="chrf")["metric"] == "chrf"
    with pytest.raises(GatewiseError, match="--metric: 'bleu' is none of forecasting"):
        proposed(series(), metric="bleu")


def test_without_time_runs_are_shortened():
    assert task(pairs(), minutes=0.1)["train"]["epochs"] == unlabelled.FEWEST_EPOCHS
    assert task(pairs(), minutes=600.0)["train"]["epochs"] > 20
