import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data.preparation.clips import CHUNK_CLIPS, CHUNK_SAMPLES, chunks_of


@given(lengths=st.lists(st.integers(0, CHUNK_SAMPLES), min_size=1, max_size=200))
def test_chunks_hold_all_clips_in_order_and_stay_small(lengths: list[int]) -> None:
    names = [f"{number}.wav" for number in range(len(lengths))]
    manifest = pd.DataFrame({"path": names, "sha256": names, "n_samples": lengths})
    chunks = list(chunks_of(manifest))
    assert [path for chunk in chunks for path, _ in chunk] == names
    samples = dict(zip(names, lengths, strict=True))
    for chunk in chunks:
        assert 1 <= len(chunk) <= CHUNK_CLIPS
        assert sum(samples[path] for path, _ in chunk) <= CHUNK_SAMPLES
