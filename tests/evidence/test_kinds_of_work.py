import pytest

from gatewise.artifacts.prepared import TaskCard
from gatewise.config import TaskConfig
from gatewise.evidence import kinds_of_work


def task(source=None, features=None, **keys):
    return TaskConfig.model_validate(
        {
            "source": source or {"kind": "text-file", "path": "mine.csv"},
            "features": features or {"kind": "tokens"},
            **keys,
        }
    )


def card(modality="text", labels=("a", "b")):
    return TaskCard(
        task="mine",
        modality=modality,
        title="mine",
        synthetic=False,
        licence="mine",
        labels=list(labels),
        features=None,
        vocabulary=9,
        normalise="none",
        front_end={},
        resample=False,
        split={},
        metric="accuracy",
        digest="0",
    )


SOUNDS = {"kind": "log-mel"}


@pytest.mark.parametrize(
    ("source", "features", "work"),
    [
        ({"kind": "reviews"}, {"kind": "tokens"}, "sentiment"),
        ({"kind": "synthetic-commands"}, SOUNDS, "speech"),
        ({"kind": "speech-commands"}, SOUNDS, "speech"),
        ({"kind": "digits"}, {"kind": "frames"}, "speech"),
        ({"kind": "tourism"}, {"kind": "series"}, "series"),
    ],
)
def test_what_source_or_objective_say_needs_no_data(source, features, work):
    assert kinds_of_work.of(task(source, features), None) == work


def test_a_task_says_it_of_itself_above_all():
    assert kinds_of_work.of(task({"kind": "reviews"}, work="other"), card()) == "other"
    assert kinds_of_work.of(task(work="sentiment"), card()) == "sentiment"


@pytest.mark.parametrize(
    ("labels", "work"),
    [
        (("negative", "positive"), "sentiment"),
        (("Very_Positive", "positive", "neutral", "negative", "very-negative"), "sentiment"),
        (("anger", "joy"), "sentiment"),
        (("positive", "spam"), "other"),
        (("sports", "politics"), "other"),
    ],
)
def test_texts_of_ones_own_tell_by_their_labels(labels, work):
    assert kinds_of_work.of(task(), card(labels=labels)) == work


def test_sounds_are_speech_where_they_are_written_down():
    sounds = {"kind": "audio-folder", "path": "mine"}
    said = task({"kind": "transcripts", "path": "mine.csv"}, SOUNDS)
    assert kinds_of_work.of(said, card("audio")) == "speech"
    # Classes of sounds may be anything: words, or the songs of birds.
    assert kinds_of_work.of(task(sounds, SOUNDS), card("audio", ("wren", "robin"))) == "other"
    assert kinds_of_work.of(task(sounds, SOUNDS, work="speech"), card("audio")) == "speech"


def test_values_to_come_are_a_series_whoever_has_them():
    own = {"kind": "series", "path": "mine.csv"}
    asked = {"kind": "forecast", "horizon": 12, "season": 12}
    found = kinds_of_work.of(task(own, {"kind": "series"}, objective=asked), None)
    assert found == "series"


GENERATE = {"objective": {"kind": "generate"}}


@pytest.mark.parametrize(
    ("source", "modality", "tokenizer", "work"),
    [
        ({"kind": "phrases"}, "text", "word", "translation"),
        ({"kind": "text-pairs", "path": "mine.csv"}, "text", "word", "translation"),
        ({"kind": "text-pairs", "path": "mine.csv"}, "text", "bpe", "translation"),
        # Letter by letter something is spelt or pronounced.
        ({"kind": "text-pairs", "path": "mine.csv"}, "text", "character", "other"),
        ({"kind": "pronounce"}, "text", "word", "other"),
        ({"kind": "scenes"}, "image", "word", "captioning"),
        ({"kind": "captions", "path": "mine.csv"}, "image", "word", "captioning"),
    ],
)
def test_what_is_generated_from_what_tells(source, modality, tokenizer, work):
    asked = task(source, {"kind": "tokens", "tokenizer": tokenizer}, **GENERATE)
    assert kinds_of_work.of(asked, card(modality)) == work


def test_without_data_what_hangs_on_them_is_left_open():
    assert kinds_of_work.of(task(), None) == "other"


def test_an_unknown_kind_of_work_is_refused():
    with pytest.raises(ValueError, match="work"):
        task(work="poetry")
