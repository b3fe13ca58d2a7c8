"""From what is understood to a study: valid whatever the data, and each rule where it applies."""

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import config
from gatewise.errors import GatewiseError
from gatewise.repro.studies import budget, front_end, learning, proposal, timing, writing
from gatewise.repro.studies.choices import Chosen, plain, share
from tests.repro.studies.understandings import any_data, pace, sounds, texts


def proposed(data, minutes=10.0, step_seconds=0.01, **keys):
    return proposal.propose(data, minutes, timer=pace(step_seconds), **keys)


def task(data, **keys):
    found = proposed(data, **keys)
    return plain(found.sections)["tasks"][data.name]


@settings(max_examples=60, deadline=None)
@given(
    data=any_data(),
    minutes=st.sampled_from([0.1, 1.0, 10.0, 600.0]),
    step=st.floats(1e-4, 3.0),
    rnn=st.booleans(),
)
def test_whatever_is_understood_gives_a_study_that_loads(data, minutes, step, rnn):
    found = proposed(data, minutes, step, rnn=rnn)
    text = writing.render(found)
    study = config.parse(yaml.safe_load(text))
    assert study == found.study
    assert list(study.tasks) == [data.name]
    assert max(map(len, text.splitlines())) <= max(100, longest_value(found.sections))
    wanted = {"lstm", "gru", "gru-matched"} | ({"rnn"} if rnn else set())
    assert set(study.variants) == wanted
    train = study.train_for(data.name)
    assert 1 <= train.epochs <= 60
    assert train.average_last is None or train.average_last <= train.epochs


def longest_value(section, depth=0):
    """Characters of the longest line without its comment."""
    found = 0
    for key, value in section.items():
        if isinstance(value, Chosen):
            flow = writing._flow(value.value)
            found = max(found, 2 * depth + len(key) + 2 + len(flow))
        else:
            found = max(found, longest_value(value, depth + 1))
    return found


def test_every_choice_that_rests_on_the_data_says_why():
    text = writing.render(
        proposed(texts(splits="published", split_sizes={"train": 1500, "test": 500}))
    )
    lines = text.splitlines()
    for key in ("metric", "test", "vocabulary", "max_length", "epochs", "seeds", "tolerance"):
        place = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
        assert "#" in lines[place] or lines[place - 1].strip().startswith("#"), key


@pytest.mark.parametrize(
    ("labels", "metric"),
    [
        ({"up": 500, "down": 500}, "accuracy"),
        ({"up": 700, "down": 300}, "accuracy"),
        ({"up": 800, "down": 200}, "balanced_accuracy"),
        ({f"intent {i}": 130 for i in range(77)}, "accuracy"),
        ({"flight": 740} | {f"rare {i}": 10 for i in range(26)}, "balanced_accuracy"),
    ],
)
def test_a_label_that_dominates_asks_for_a_balanced_metric(labels, metric):
    assert task(sounds(labels=labels))["metric"] == metric


@pytest.mark.parametrize(
    ("groups", "resample"), [(3, "balanced"), (6, "balanced"), (20, True), (400, False)]
)
def test_the_fewer_groups_the_more_splits(groups, resample):
    by_label = {"up": groups, "down": groups}
    assert task(sounds(groups=groups, groups_by_label=by_label))["split"]["resample"] == resample


def test_a_label_of_few_groups_keeps_one_split():
    data = sounds(groups=20, groups_by_label={"up": 20, "down": 4})
    assert task(data)["split"]["resample"] is False


def test_texts_keep_one_split_and_published_ones_theirs():
    assert task(texts())["split"]["resample"] is False
    data = texts(splits="published", split_sizes={"train": 1500, "test": 500})
    assert task(data)["split"] == {"validation": 0.11, "test": 0.25}


def test_two_groups_are_refused_before_anything_is_written():
    with pytest.raises(GatewiseError, match="2 groups cannot be split"):
        proposed(sounds(groups=2, groups_by_label={"up": 2, "down": 2}))


def test_what_is_wrong_with_published_data_is_accepted_by_name():
    data = texts(
        splits="published",
        split_sizes={"train": 1500, "test": 500},
        leaks={"duplicates": 12},
        unusable={"empty text": 3},
    )
    found = task(data)
    assert "12 times" in found["allow"]["duplicates"]
    assert found["on_bad"] == "skip"


@pytest.mark.parametrize(
    ("lengths", "active", "seconds", "crop"),
    [
        ([1.0] * 99, None, 1.0, None),
        ([0.98] * 50 + [1.0] * 50, None, 1.0, None),
        (np.linspace(0.5, 2.5, 101), None, 2.5, None),
        ([1.0] * 99 + [9.0], None, 1.0, None),
        ([5.0] * 99, [0.5] * 99, 0.7, "energy"),
        ([60.0] * 99, None, 20.0, "energy"),
    ],
)
def test_seconds_keep_nearly_all_of_nearly_all_clips(lengths, active, seconds, crop):
    data = sounds(
        lengths=np.array(lengths), active_lengths=None if active is None else np.array(active)
    )
    found = task(data)["features"]
    assert found["seconds"] == pytest.approx(seconds, abs=0.11)
    assert found.get("crop") == crop


@pytest.mark.parametrize("length", [0.1, 1.0, 3.0, 7.7, 20.0])
def test_longer_clips_have_longer_frames_and_windows_cover_their_hop(length):
    found = task(sounds(lengths=np.full(50, length)))["features"]
    steps = found["seconds"] * found["sample_rate"] / found["hop_length"]
    assert steps <= max(front_end.STEPS, length / front_end.LONGEST_HOP) + 1
    assert found["n_fft"] >= 1.5 * found["hop_length"]


def test_clips_of_a_telephone_keep_its_rate_and_better_ones_are_resampled():
    assert task(sounds(rates={8000: 9}))["features"]["sample_rate"] == 8000
    assert task(sounds(rates={44_100: 9, 16_000: 1}))["features"]["sample_rate"] == 16_000


def test_words_that_stand_once_are_no_part_of_the_vocabulary():
    counts = np.array([50] * 300 + [1] * 5000)
    assert 300 <= task(texts(word_counts=counts))["features"]["vocabulary"] <= 400


def test_text_without_spaces_is_read_by_characters_from_random_embeddings():
    found = task(texts(script="characters"))
    assert found["features"]["tokenizer"] == "character"
    assert "embeddings" not in found["model"]
    assert task(texts())["model"]["embeddings"] == "cooccurrence"


@given(train=st.integers(1, 10**6), more=st.integers(1, 10**5), labels=st.integers(2, 200))
def test_more_examples_never_ask_for_more_passes_or_smaller_batches(train, more, labels):
    assert learning.epochs(train, labels) >= learning.epochs(train + more, labels)
    assert learning.batch_size(train, labels) <= learning.batch_size(train + more, labels)


@settings(max_examples=40, deadline=None)
@given(minutes=st.floats(0.5, 100), more=st.floats(0, 100), step=st.floats(1e-3, 1))
def test_more_minutes_never_give_less(minutes, more, step):
    little, much = (proposed(sounds(), m, step).budget for m in (minutes, minutes + more))
    assert much.plan.first * much.share >= little.plan.first * little.share - 1e-9
    assert much.plan.trials >= little.plan.trials
    fits = little.total_seconds <= 60 * minutes + 1e-6
    assert fits or little.plan == budget.LADDER[-1]


def test_even_the_least_study_learns_for_some_seconds():
    found = proposed(sounds(), minutes=0.1, step_seconds=0.002).budget
    assert found.plan == budget.LADDER[-1]
    learning_seconds = found.plan.runs(3) * found.run_seconds / 2
    assert learning_seconds == pytest.approx(budget.LEAST_LEARNING, abs=0.1)
    assert found.total_seconds > 60 * 0.1


def test_what_stages_take_adds_up_to_what_runs_do():
    found = proposed(sounds(), 10.0)
    seconds = found.budget.stage_seconds("doors", found.study.variants)
    learning = sum(took for name, took in seconds.items() if not name.startswith("probe"))
    runs = found.budget.plan.runs(len(found.study.variants))
    assert learning == pytest.approx(runs * found.budget.run_seconds / 2, abs=0.5)
    assert {name.partition("@")[0] for name in seconds} == {"tune", "train", "probe"}


def test_little_time_shortens_runs_before_it_leaves_examples_out():
    some = task(sounds(), minutes=1.5)["train"]
    assert some["epochs"] < learning.passes(sounds(), _sizes(sounds())).epochs
    assert "fraction" not in some
    hardly = task(sounds(), minutes=1.0, step_seconds=1.0)["train"]
    assert hardly["epochs"] == learning.FEWEST_EPOCHS
    assert hardly["fraction"] * 650 >= 2 * learning.FEWEST_OF_A_LABEL - 1


def _sizes(data):
    from gatewise.repro.studies.sizes import SplitSizes

    return SplitSizes.expected(data)


@pytest.mark.parametrize(("test", "tolerance"), [(50, 0.065), (200, 0.035), (4000, 0.01)])
def test_the_tolerance_is_no_finer_than_the_test_examples(test, tolerance):
    data = texts(splits="published", split_sizes={"train": 2000, "test": test})
    assert plain(proposed(data).sections)["compare"]["tolerance"] == tolerance


def test_no_memory_is_asked_of_cells():
    assert proposed(sounds()).study.probes.problems == ()


def test_reasons_and_paths_of_any_kind_stay_in_their_line():
    data = sounds(
        labels={"a\nb: {": 600, "# up": 400},
        source={"kind": "audio-folder", "path": "../my # doors: 'all'\t"},
    )
    text = writing.render(proposed(data))
    read = yaml.safe_load(text)["tasks"]["doors"]
    assert read["source"]["path"] == "../my # doors: 'all'\t"


def test_shares_are_never_rounded_to_none_or_all():
    assert share(1, 10_000) == "less than 0.1 %"
    assert share(0, 9) == "none"
    assert share(9995, 10_000) == "99.9 %"


def test_the_clock_measures_steps_of_the_studys_sizes():
    found = timing.measure(4, 4, 2, 3, 2, 5, None)
    assert found.step_seconds > 0
    assert found.workers >= 1
    assert timing.measure(4, 4, 2, 3, 2, None, 7).step_seconds > 0
