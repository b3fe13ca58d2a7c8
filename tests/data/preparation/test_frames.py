from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, Raw, SourceCard
from gatewise.data.preparation import frames
from gatewise.errors import GatewiseError


def raw(folder: Path, values: np.ndarray, counts: list[int]) -> Raw:
    folder.mkdir()
    np.save(folder / manifest.FRAMES, values.astype(np.float32))
    blank = Example(id="", label="a", group="g", n_samples=0, sha256=manifest.text_sha256(""))
    rows = [replace(blank, id=str(i), n_samples=count) for i, count in enumerate(counts)]
    card = SourceCard(payload="frames", title="f", licence="none", step_seconds=0.02)
    manifest.write(folder, card, rows)
    return Raw.open(folder)


def test_what_cannot_be_used_is_left_out_and_named(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(6, 2)
    values[3, 1] = np.inf
    done = frames.transform(raw(tmp_path / "raw", values, [3, 2, 0, 1]), tmp_path)
    assert done.lengths == [3, 0, 0, 1]
    assert done.unusable == {1: "frames that are not finite numbers", 2: "no frames"}
    assert done.features == 2
    assert done.step_seconds == 0.02
    assert np.array_equal(np.load(tmp_path / "sequences.npy"), values[[0, 1, 2, 5]])


def test_frames_of_another_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GatewiseError, match="has 6 frames, the manifest counts 5"):
        frames.transform(raw(tmp_path / "raw", np.zeros((6, 2)), [3, 2]), tmp_path)


def test_missing_frames_are_named(tmp_path: Path) -> None:
    there = raw(tmp_path / "raw", np.zeros((5, 2)), [3, 2])
    (there.folder / manifest.FRAMES).unlink()
    with pytest.raises(GatewiseError, match=r"frames\.npy: missing"):
        frames.transform(there, tmp_path)
