"""A reference with another front end is asked about new examples through the raw data."""

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts import runs
from gatewise.data.preparation.build import prepare
from gatewise.delivery.gate import matching, snapshot
from gatewise.serving.predictor import Predictor, gather
from tests.delivery.gate.projects import write_run
from tests.serving.test_pyfunc import audio, frames, text

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
    wanted = predictor.probabilities(
        [sequences[s : s + n] for s, n in zip(rows["start"], rows["length"], strict=True)]
    )
    new = one.where(~one.known)
    assert new.reference.predicted.tolist() == wanted.argmax(axis=1).tolist()
    own = wanted[np.arange(len(new.label)), new.label].astype(np.float64)
    np.testing.assert_allclose(new.reference.losses, -np.log(own))


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
