"""A reference with another front end is asked about new examples through the raw data."""

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import Prepared
from gatewise.config.metrics import SMALLEST
from gatewise.data.preparation.build import prepare
from gatewise.delivery.gate import matching, snapshot
from gatewise.serving.predictor import Asked, Predictor, gather
from tests.delivery.gate.projects import write_run
from tests.records import name_files
from tests.serving.test_pyfunc import audio, frames, text
from tests.tasks import LABELS, write_task

OTHER = {"audio": {"n_mels": 16}, "text": {"max_length": 5}, "frames": {"normalise": "none"}}


@pytest.mark.parametrize("make", [audio, text, frames])
def test_new_examples_reach_the_reference_as_a_user_would_send_them(tmp_path, make):
    task, raw = make(tmp_path)
    now, then = tmp_path / "now", tmp_path / "then"
    features = task.features.model_copy(update=OTHER[make.__name__])
    before = task.model_copy(update={"features": features})
    for root, config in ((now, task), (then, before)):
        prepared, _ = prepare("toy", config, raw, root / "data/prepared/toy")
        (root / "data/raw").mkdir()
        (root / "data/raw/toy").symlink_to(raw)
        write_run(prepared, root / "runs/toy/gru/seed-0", "gru", 0, 0.9)
    path = then / "runs/toy/gru/seed-0" / runs.PREDICTIONS
    stored = pd.read_parquet(path)
    stored[::2].to_parquet(path, index=False)  # it was tested on every other example only
    name_files(path.parent)

    snapshots = [snapshot.read(root, "toy", root.name)["gru"] for root in (now, then)]
    found = matching.pair(*snapshots)
    (one,) = found.seeds
    assert found.evaluated == len(stored) - len(stored[::2]) == int((~one.known).sum())
    # What it says of the new ones is what its model says of them, asked by its own front end.
    holder = tmp_path / "holder"
    holder.mkdir()
    gather(then / "runs/toy/gru/seed-0", then / "data/prepared", holder)
    predictor = Predictor.load(holder)
    old = snapshots[1].index.set_index("id")
    sequences = np.load(then / "data/prepared/toy/sequences.npy")
    rows = old.loc[list(one.ids[~one.known])]
    answers = predictor.answers(
        [Asked(sequences[s : s + n]) for s, n in zip(rows["start"], rows["length"], strict=True)]
    )
    wanted = np.array([list(answer.probabilities.values()) for answer in answers], np.float32)
    new = one.where(~one.known)
    assert new.reference.predicted.tolist() == wanted.argmax(axis=1).tolist()
    own = wanted[np.arange(len(new.label)), new.label].astype(np.float64)
    np.testing.assert_allclose(new.reference.losses, -np.log(own))


def test_a_label_that_the_reference_does_not_know_has_no_probability_there(tmp_path):
    for name, labels in (("now", LABELS), ("then", LABELS[:2])):
        folder = tmp_path / name / "data/prepared/toy"
        whole = write_task(folder)
        index = whole.index[whole.index["label"] < len(labels)].reset_index(drop=True)
        steps = [np.arange(s, s + n) for s, n in zip(index["start"], index["length"], strict=True)]
        index = index.assign(start=index["length"].cumsum() - index["length"])
        card = whole.card.model_copy(update={"labels": labels})
        prepared = Prepared(card, whole.sequences[np.concatenate(steps)], index)
        prepared.write(folder)
        write_run(prepared, tmp_path / name / "runs/toy/gru/seed-0", "gru", 0, 0.9)
    now, then = (snapshot.read(tmp_path / name, "toy", name)["gru"] for name in ("now", "then"))
    (one,) = matching.pair(now, then).seeds
    new = one.label == 2
    assert new.any()
    assert set(one.reference.predicted[new]) <= {0, 1}
    np.testing.assert_allclose(one.reference.losses[new], -np.log(SMALLEST))
    assert (one.reference.losses[~new] < 5).all()


def test_an_example_whose_content_changed_is_no_known_example(tmp_path):
    task, raw = frames(tmp_path)
    prepared, _ = prepare("toy", task, raw, tmp_path / "one/data/prepared/toy")
    write_run(prepared, tmp_path / "one/runs/toy/gru/seed-0", "gru", 0, 0.9)
    (tmp_path / "one/data/raw/toy").mkdir(parents=True)
    manifest = pd.read_parquet(raw / "manifest.parquet")
    manifest.to_parquet(tmp_path / "one/data/raw/toy/manifest.parquet")
    import shutil

    shutil.copytree(tmp_path / "one", tmp_path / "two")
    test = pd.read_parquet(tmp_path / "one/runs/toy/gru/seed-0" / runs.PREDICTIONS)["id"]
    changed = manifest["id"].isin(test[:7])
    manifest.loc[changed, "sha256"] = "f" * 64
    manifest.to_parquet(tmp_path / "two/data/raw/toy/manifest.parquet")
    now, then = (snapshot.read(tmp_path / name, "toy", name)["gru"] for name in ("one", "two"))
    assert matching.pair(now, then).evaluated == 7
