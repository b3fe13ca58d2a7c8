from pathlib import Path

import numpy as np
import pytest

from gatewise.data.preparation.sequence_writer import SequenceWriter


@pytest.mark.parametrize("shape", [(), (3,)])
def test_pieces_read_back_as_one_array(tmp_path: Path, shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(0)
    pieces = [draw.integers(0, 9, (steps, *shape)) for steps in (4, 0, 1, 700)]
    with SequenceWriter(tmp_path / "s.npy", shape, np.int32) as writer:
        for piece in pieces:
            writer.append(piece)
    stored = np.load(tmp_path / "s.npy", mmap_mode="r")
    assert stored.dtype == np.int32
    assert np.array_equal(stored, np.concatenate(pieces))


def test_nothing_at_all_is_an_empty_array(tmp_path: Path) -> None:
    with SequenceWriter(tmp_path / "s.npy", (2,), np.float32):
        pass
    assert np.load(tmp_path / "s.npy").shape == (0, 2)
