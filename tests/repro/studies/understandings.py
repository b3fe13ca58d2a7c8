"""Understandings of made-up data, for tests of the rules."""

import numpy as np
from hypothesis import strategies as st

from gatewise.data.understanding import Understanding
from gatewise.repro.studies.timing import Pace


def pace(step_seconds=0.01, workers=2):
    """A timer that measures nothing."""
    return lambda *sizes: Pace(step_seconds, workers)


def sounds(**changes):
    """A thousand clips of a second, two labels."""
    fields = {
        "name": "doors",
        "kind": "audio",
        "source": {"kind": "audio-folder", "path": "../doors"},
        "splits": "none",
        "split_sizes": {"train": 1000},
        "labels": {"up": 600, "down": 400},
        "groups": None,
        "largest_group": None,
        "groups_by_label": None,
        "lengths": np.ones(1000),
        "active_lengths": None,
        "rates": {16_000: 1000},
        "word_counts": None,
        "script": None,
        "duplicates": 0,
        "contradictions": 0,
        "leaks": {},
        "unusable": {},
        "bytes": 32_000_000,
        "sampled": None,
        "skipped": [],
        "notes": (),
    }
    return Understanding(**fields | changes)


def texts(**changes):
    """Two thousand texts of one to fifty words."""
    fields = {
        "name": "questions",
        "kind": "text",
        "source": {"kind": "text-file", "path": "questions.csv"},
        "labels": {"when": 1100, "where": 900},
        "split_sizes": {"train": 2000},
        "lengths": np.sort(np.arange(2000) % 50 + 1.0),
        "rates": {},
        "word_counts": np.sort(np.arange(3000) % 40)[::-1] + 1,
        "script": "words",
        "bytes": 200_000,
    }
    return sounds(**fields | changes)


@st.composite
def any_data(draw):
    """Whatever can be understood of data that are not refused at once."""
    names = draw(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=40, unique=True))
    counts = sorted((draw(st.integers(2, 5000)) for _ in names), reverse=True)
    labels = dict(zip(names, counts, strict=True))
    examples = sum(counts)
    published = draw(st.booleans())
    sizes = {"train": examples}
    if published:
        test = draw(st.integers(1, max(1, examples // 2)))
        sizes = {"train": examples - test, "test": test}
        if draw(st.booleans()) and sizes["train"] > 2:
            sizes |= {"train": sizes["train"] - 1, "validation": 1}
    groups = draw(st.none() | st.integers(3, examples))
    by_label = None if groups is None else {name: draw(st.integers(1, groups)) for name in names}
    seen = draw(st.integers(1, 60))
    text = draw(st.booleans())
    length = st.integers(1, 3000) if text else st.floats(0.02, 90)
    heard = st.none() | st.lists(st.floats(0.0, 9), min_size=1, max_size=9)
    active = None if text else draw(heard)
    common = {
        "name": draw(
            st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True).filter(
                lambda name: len(name) < 60
            )
        ),
        "source": {
            "kind": "text-file" if text else "audio-folder",
            "path": draw(st.text(min_size=1, max_size=30).filter(str.isprintable)),
        },
        "labels": labels,
        "splits": "published" if published else "none",
        "split_sizes": sizes,
        "groups": groups,
        "largest_group": groups and 1,
        "groups_by_label": by_label,
        "lengths": np.sort(np.array([draw(length) for _ in range(seen)], dtype=float)),
        "unusable": draw(st.dictionaries(st.text(max_size=9), st.integers(1, 9), max_size=2)),
        "leaks": draw(
            st.dictionaries(
                st.sampled_from(["groups", "duplicates", "near-duplicates", "labels"]),
                st.integers(1, 9),
            )
        )
        if published
        else {},
    }
    if text:
        words = st.lists(st.integers(1, 10**6), max_size=30).map(sorted)
        return texts(
            **common,
            script=draw(st.sampled_from(["words", "characters"])),
            word_counts=np.array(draw(words)[::-1], dtype=np.int64),
        )
    rates = st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 4_000, 192_000])
    return sounds(
        **common,
        active_lengths=None if active is None else np.sort(active),
        rates=draw(st.dictionaries(rates, st.integers(1, 99), max_size=3)),
    )
