"""Where finished runs look, as the `context` stage keeps it for the page."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gatewise.artifacts import runs
from gatewise.artifacts.context import ContextReport
from gatewise.artifacts.plan import ContextPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.diagnostics import attention, context, looks
from gatewise.training import one_run
from gatewise.training.job import Job
from tests import translated
from tests.training.test_generation import plan

CELLS = ("gru", "lstm")
PLAN = ContextPlan(
    task="toy", variants={c: (c,) for c in CELLS}, metric="token_error_rate", objective="generate"
)


def trained(root, cells=CELLS):
    """Folders of runs, the task having been prepared below `root`."""
    folders = []
    for cell in cells:
        folders.append(root / "runs" / cell)
        folders[-1].mkdir(parents=True)
        job = Job(plan(cell, epochs=3), 0, "k", root / "data/prepared/toy", folders[-1])
        one_run.train(job, lambda *_: None)
    return folders


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("looking")
    translated.make(root)
    return trained(root), root / "data/prepared/toy"


def test_the_stage_keeps_two_examples_of_every_variant(finished, tmp_path):
    folders, prepared = finished
    report = context.evaluate(PLAN, folders, prepared, 1)
    assert report.variants == {}, "without its beginning a phrase has another translation"
    report.write(tmp_path / "toy.json")
    assert ContextReport.read(tmp_path / "toy.json") == report
    maps = report.attention
    assert [(one.variant, one.sort) for one in maps] == [
        (cell, sort) for cell in CELLS for sort in ("typical", "worst")
    ]
    assert len({one.example for one in maps}) == 2
    task = Prepared.open(prepared)
    for one in maps:
        said = runs.read_predictions(folders[CELLS.index(one.variant)])
        recorded = said.columns["said"][list(said.ids).index(one.example)]
        assert one.said == (*(task.card.labels[k] for k in recorded), attention.END)
        assert set(one.read) <= set(translated.GERMAN)
        assert np.shape(one.weights) == (len(one.said), len(one.read))
        np.testing.assert_allclose(np.sum(one.weights, 1), 1, atol=1e-3)


def test_the_worst_is_the_worst_of_all_variants(finished):
    folders, prepared = finished
    with ThreadPoolExecutor(1) as pool:
        (worst, _) = (m.example for m in looks.drawn(folders, prepared, pool) if m.sort == "worst")
    shown = []
    for folder in folders:
        found = runs.read_predictions(folder)
        shown.append(found.kind.shown(found.columns, []).measure)
    mean = np.mean(shown, axis=0)
    assert mean[list(found.ids).index(worst)] == mean.max()


def test_models_that_look_nowhere_are_not_asked(tmp_path):
    translated.make(tmp_path, objective={"kind": "generate", "attention": "none"})
    folders = trained(tmp_path, ["gru"])
    report = context.evaluate(PLAN, folders, tmp_path / "data/prepared/toy", 1)
    assert report.attention == ()
    assert "attention" not in report.model_dump()


def test_steps_of_long_inputs_are_added_up(monkeypatch):
    monkeypatch.setattr(looks, "MOST_READ", 3)
    weights = np.arange(14.0).reshape(2, 7)
    read, added = looks._added_up([str(k) for k in range(1, 8)], weights)
    assert read == ("1-3", "4-6", "7")
    np.testing.assert_array_equal(added, [[3, 12, 6], [24, 33, 13]])
    assert looks._added_up(["a", "b", "c"], weights[:, :3])[0] == ("a", "b", "c")


def test_regions_of_images_go_by_their_numbers(tmp_path):
    from gatewise.config import TaskConfig
    from gatewise.data import sources
    from gatewise.data.preparation.build import prepare
    from tests.pictures import write_table

    texts = [f"a {'level' if number % 2 else 'upright'} line" for number in range(60)]
    table = write_table(tmp_path / "images", texts)
    features = {"kind": "image", "height": 12, "width": 12, "channels": 1, "scan": "regions"}
    config = TaskConfig.model_validate(
        {
            "source": {"kind": "captions", "path": str(table)},
            "objective": {"kind": "generate"},
            "features": features,
        }
    )
    for part in ("raw", "prepared"):
        (tmp_path / "data" / part).mkdir(parents=True)
    raw = sources.fetch(config.source, tmp_path / "data/raw/toy")
    task = prepare("toy", config, raw.folder, tmp_path / "data/prepared/toy", 1)[0]
    (run,) = trained(tmp_path, ["gru"])
    name = task.index["id"].iloc[0]
    (one,) = attention.maps(run, tmp_path / "data/prepared/toy", [name])
    assert one.read == tuple(str(region) for region in range(1, 37)), "more than rows of pixels"
    np.testing.assert_allclose(one.weights.sum(1), 1, rtol=1e-5)
