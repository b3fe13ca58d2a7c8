"""Heat maps of where models look."""

import pandas as pd
import pytest

from gatewise.artifacts.context import Attended, ContextReport
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import attention, page
from tests.evidence_runs import pair, summary, task_comparison, whole_comparison

READ, SAID = ("the", "NA", "the"), ("el", "el", "(end)")
WEIGHTS = ((0.9, 0.1, 0.0), (0.2, 0.7, 0.1), (0.0, 0.25, 0.75))


def report(*variants):
    maps = [
        Attended(
            example=f"e-{sort}", sort=sort, variant=variant, read=READ, said=SAID, weights=WEIGHTS
        )
        for variant in variants
        for sort in ("worst", "typical")
    ]
    return ContextReport(
        task="toy",
        metric="bleu",
        steps=(),
        median_length=3,
        step_seconds=None,
        variants={},
        attention=tuple(maps),
    )


@pytest.fixture
def compared():
    variants = {name: summary(0.5, 0.6) for name in ("rnn", "lstm", "gru")}
    return whole_comparison({"toy": task_comparison(variants, pair("lstm", "gru"))})


def test_the_primary_pair_is_drawn(compared, tmp_path):
    evidence = {
        "toy": TaskEvidence([], context=report("rnn", "lstm", "gru")),
        "none": TaskEvidence([]),
    }
    table = attention.maps(evidence, compared)
    assert list(table.columns) == list(attention.COLUMNS)
    assert list(dict.fromkeys(table["variant"])) == ["lstm", "gru"]
    assert list(dict.fromkeys(table["sort"])) == ["typical", "worst"]
    assert len(table) == 2 * 2 * len(SAID) * len(READ)
    own = table[(table["variant"] == "gru") & (table["sort"] == "worst")]
    assert tuple(own["weight"]) == tuple(share for row in WEIGHTS for share in row)

    folder = tmp_path / "plots"
    folder.mkdir()
    table.to_csv(folder / "attention.csv", index=False)
    siblings = page.read_siblings(tmp_path)
    assert set(siblings.attention["read"]) == {"the", "NA"}
    html = page.render(compared, siblings)
    for number in (1, 2):
        for variant in ("lstm", "gru"):
            assert f'data-chart="toy--attention-{number}-{variant}"' in html
    assert "Where they look" in html
    assert "Where they look" not in page.render(compared)


def test_without_a_primary_pair_the_first_two_variants_are(compared):
    task = compared.tasks["toy"].model_copy(update={"pairs": ()})
    without = compared.model_copy(update={"tasks": {"toy": task}})
    evidence = {"toy": TaskEvidence([], context=report("rnn", "lstm", "gru"))}
    assert set(attention.maps(evidence, without)["variant"]) == {"rnn", "lstm"}


def test_words_that_come_again_have_places_of_their_own(compared):
    table = attention.maps({"toy": TaskEvidence([], context=report("lstm"))}, compared)
    first = next(attention.figures("toy", table))
    assert first.caption == "lstm: typical example e-typical"
    assert "el el (end)" in first.alternative
    encoding = first.spec["encoding"]
    assert encoding["x"]["sort"] == ["1 the", "2 NA", "3 the"]
    assert encoding["y"]["sort"] == ["1 el", "2 el", "3 (end)"]
    shares = {(row["said"], row["read"]): row["share"] for row in first.spec["data"]["values"]}
    assert shares["2 el", "2 NA"] == 0.7
    assert len(shares) == 9


def test_names_are_drawn_without_their_places(compared):
    vl_convert = pytest.importorskip("vl_convert")
    table = attention.maps({"toy": TaskEvidence([], context=report("lstm"))}, compared)
    spec = dict(attention.heat_map(table[table["sort"] == "worst"]), width=300)
    svg = vl_convert.vegalite_to_svg(spec)
    assert ">NA</text>" in svg
    assert svg.count(">the</text>") == 2
    assert ">1 the</text>" not in svg


def test_nothing_is_written_where_nobody_looks(compared):
    empty = attention.maps({"toy": TaskEvidence([])}, compared)
    assert isinstance(empty, pd.DataFrame)
    assert empty.empty
