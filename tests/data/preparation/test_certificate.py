import pandas as pd
import pytest

from gatewise.data.preparation import near_duplicates
from gatewise.data.preparation.certificate import Finding, certify, refusal, refused

SPLITS = ["train", "train", "train", "validation", "validation", "test", "test"]
TEXTS = [
    "one film that pleases everybody who sees it",
    "another film that bores its own director to tears",
    "songs about trains and rain and distant towns",
    "a quiet study of people who mend clocks",
    "explosions, more explosions and a kiss",
    "the sequel nobody wanted is the best of them",
    "an opera in space with too little space",
]


def rows(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "id": [f"e{i}" for i in range(7)],
            "label": ["a", "b", "a", "a", "b", "a", "b"],
            "group": [f"g{i}" for i in range(7)],
            "split": SPLITS,
            "content": [f"c{i}" for i in range(7)],
        }
    )
    return frame.assign(**changes)


def violated(frame: pd.DataFrame, resample: bool = False, **more: object) -> dict[str, Finding]:
    return {f.leak: f for f in certify(frame, resample, **more) if f.count}


def test_clean_data_have_no_findings() -> None:
    keys = near_duplicates.band_keys(TEXTS)
    more = {"keys": keys, "text_of": TEXTS.__getitem__, "unlearned": []}
    assert violated(rows(), **more) == {}
    names = {f.leak for f in certify(rows(), False, **more)}
    assert names == {"groups", "duplicates", "near-duplicates", "vocabulary", "labels"}


def test_planted_group() -> None:
    leaks = violated(rows(group=["g0", "g1", "g2", "g3", "g4", "g1", "g6"]))
    assert set(leaks) == {"groups"}
    assert leaks["groups"].count == 1
    assert leaks["groups"].examples == ("'g1' in test and train",)


def test_planted_duplicate_across_splits_but_not_within() -> None:
    assert violated(rows(content=["c", "c", "c2", "c3", "c4", "c5", "c6"])) == {}
    leaks = violated(rows(content=["c", "c1", "c2", "c3", "c4", "c", "c6"]))
    assert set(leaks) == {"duplicates"}
    assert leaks["duplicates"].examples == ("e5 (test) = e0 (train)",)


def test_planted_near_duplicate() -> None:
    texts = [*TEXTS[:6], TEXTS[0] + " too!!"]
    keys = near_duplicates.band_keys(texts)
    leaks = violated(rows(), keys=keys, text_of=texts.__getitem__)
    assert set(leaks) == {"near-duplicates"}
    assert "e0 (train) ~ e6 (test)" in leaks["near-duplicates"].examples[0]


def test_exact_copies_are_not_counted_as_near_ones_too() -> None:
    texts = [*TEXTS[:6], TEXTS[0]]
    frame = rows(content=["c", "c1", "c2", "c3", "c4", "c5", "c"])
    leaks = violated(frame, keys=near_duplicates.band_keys(texts), text_of=texts.__getitem__)
    assert set(leaks) == {"duplicates"}


def test_planted_vocabulary() -> None:
    leaks = violated(rows(), unlearned=["zebra"])
    assert set(leaks) == {"vocabulary"}


def test_planted_label() -> None:
    leaks = violated(rows(label=["a", "b", "a", "a", "b", "a", "rare"]))
    assert "'rare' (1 examples) is missing from train and validation" in str(leaks["labels"])


def test_resampled_splits_are_judged_by_group() -> None:
    frame = rows(split="drawn", group=["x", "x", "y", "y", "z", "z", "z"])
    frame["label"] = "a"
    assert violated(frame, resample=True) == {}
    frame["content"] = ["c", "c", "c2", "c3", "c4", "c5", "c6"]  # twice the same in one group
    assert violated(frame, resample=True) == {}
    frame["content"] = ["c", "c1", "c", "c3", "c4", "c5", "c6"]
    assert violated(frame, resample=True)["duplicates"].examples == ("e2 (y) = e0 (x)",)
    frame["label"] = ["a", "a", "a", "a", "b", "b", "b"]
    assert "'b' has 1 groups" in str(violated(frame, resample=True)["labels"])


@pytest.mark.parametrize("allowed", [True, False])
def test_only_leaks_that_are_named_pass(allowed: bool) -> None:
    findings = [Finding("groups", "claim", 2, ("x",)), Finding("labels", "claim", 0)]
    allow = {"groups": "one microphone"} if allowed else {"labels": "other"}
    leaks = refused(findings, allow)
    assert leaks == ([] if allowed else findings[:1])
    assert findings[0].check(allow).allowed == ("one microphone" if allowed else None)
    assert findings[1].check({"labels": "rare"}).allowed is None
    if leaks:
        message = refusal("words", leaks)
        assert "2 violations" in message
        assert "put groups under tasks.words.allow" in message
