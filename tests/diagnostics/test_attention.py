import numpy as np
import pytest

from gatewise.artifacts.prepared import Prepared
from gatewise.diagnostics import attention
from gatewise.errors import GatewiseError
from gatewise.training import one_run
from gatewise.training.job import Job
from tests import tasks, translated
from tests.training.test_generation import plan


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that has learnt to translate word by word."""
    root = tmp_path_factory.mktemp("attending")
    translated.make(root, translated.pairs(320))
    run = root / "run"
    run.mkdir()
    learns = plan(epochs=16)
    config = learns.config.model_copy(update={"hidden": 32, "embedding": 32, "dropout": 0.0})
    job = Job(learns.model_copy(update={"config": config}), 0, "k", root / "data/prepared/toy", run)
    one_run.train(job, lambda *_: None)
    return run, root / "data/prepared/toy"


def test_it_looks_at_the_word_that_it_says(finished):
    run, folder = finished
    index = Prepared.open(folder).index
    examples = index["id"][index["split"] == "test"].tolist()
    found = attention.maps(run, folder, examples)
    assert [one.example for one in found] == examples
    known = dict(zip(translated.GERMAN, translated.WORDS, strict=True))
    right = []
    for one in found:
        assert one.weights.shape == (len(one.said), len(one.read))
        np.testing.assert_allclose(one.weights.sum(1), 1, rtol=1e-5)
        assert set(one.read) <= set(known)
        assert one.said[-1] == attention.END
        for word, row in zip(one.said[:-1], one.weights, strict=False):
            right.append(known[one.read[int(row.argmax())]] == word)
    assert np.mean(right) > 0.6


def test_what_cannot_be_drawn_is_refused_in_a_sentence(finished, tmp_path):
    run, folder = finished
    assert attention.maps(run, folder, []) == []
    with pytest.raises(GatewiseError, match="no example 'nobody'"):
        attention.maps(run, folder, ["nobody"])
    tasks.write_task(tmp_path / "toy")
    (tmp_path / "run").mkdir()
    job = Job(tasks.make_plan(epochs=1), 0, "k", tmp_path / "toy", tmp_path / "run")
    one_run.train(job, lambda *_: None)
    with pytest.raises(GatewiseError, match="says no answer"):
        attention.maps(tmp_path / "run", tmp_path / "toy", ["clip-0000"])
