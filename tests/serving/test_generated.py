"""A model that says its answer, as something to ask."""

import json

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts import runs
from gatewise.artifacts.objectives.generate import Generated
from gatewise.artifacts.prepared import Prepared
from gatewise.serving import answers, questions
from gatewise.serving.predictor import Predictor
from gatewise.training import one_run
from gatewise.training.job import Job
from tests import translated
from tests.training.test_generation import plan


@pytest.fixture(scope="module", params=[1, 3], ids=["greedy", "beam"])
def model(tmp_path_factory, request):
    root = tmp_path_factory.mktemp("served")
    objective = {"kind": "generate", "beam": request.param}
    translated.make(root, objective=objective)
    run = root / "run"
    run.mkdir()
    job = Job(plan(), 0, "k", root / "data/prepared/toy", run)
    one_run.train(job, lambda *_: None)
    return root, run, Predictor.from_run(run, root / "data/prepared")


def test_a_sentence_gets_its_recorded_answer_and_its_probability(model):
    root, run, predictor = model
    recorded = pd.read_parquet(run / runs.PREDICTIONS).set_index("id")["said"]
    prepared = Prepared.open(root / "data/prepared/toy")
    texts = [translated.pairs()[int(row)][0] for row in recorded.index]
    found = predictor([{"text": text} for text in texts])
    for answer, symbols in zip(found, recorded, strict=True):
        assert answer.symbols == [prepared.card.labels[k] for k in symbols]
        assert answer.said == " ".join(answer.symbols)
        assert 0 < answer.probability < 1


def test_probabilities_are_those_of_one_asked_alone(model):
    texts = [{"text": text} for text, _ in translated.pairs()[:40]]
    together = model[2](texts)
    for item, answer in zip(texts, together, strict=True):
        (alone,) = model[2]([item])
        assert alone.said == answer.said
        assert alone.probability == pytest.approx(answer.probability, rel=1e-4)


def test_the_shell_asks_texts_and_tables(model, tmp_path):
    table = tmp_path / "phrases.csv"
    pd.DataFrame({"text": ["eins zwei drei", "neun acht"]}).to_csv(table, index=False)
    asked = questions.collect([table], ["drei vier"], questions.Wanted("text"))
    found = list(answers.ask(model[2], asked, skip=False))
    assert len(found) == 3
    assert all(set(one.answer.row()) == {"text", "probability"} for one in found)
    assert json.dumps([one.answer.plain() for one in found])


def test_an_mlflow_model_takes_sentences_and_gives_texts(model):
    from gatewise.serving.pyfunc import PyfuncModel, example, signature

    predictor = model[2]
    table = PyfuncModel(predictor).predict(example(predictor.card))
    assert list(table) == signature(predictor.card).outputs.input_names()
    assert isinstance(table["text"][0], str)
    assert np.isfinite(table["probability"]).all()


def test_any_of_several_right_answers_counts(tmp_path):
    rows = [
        ("neun acht", "nine and eight"),  # right: the next row has the other text of the phrase
        ("neun acht", "nine  eight"),
        ("eins", "a one\none"),
        ("drei vier", "four"),
        ("null", ""),
    ]
    table = tmp_path / "held-out.csv"
    pd.DataFrame(rows, columns=["text", "to"]).to_csv(table, index=False)
    wanted = questions.Wanted("text", labels="to", several=Generated.several)
    asked = questions.collect([table], [], wanted)
    assert [one.truth for one in asked[:2]] == ["nine and eight\nnine  eight"] * 2
    said = ["nine eight", "nine eight", "one", "three", ""]
    found = [
        answers.Answered(question, Generated(text, text.split(), 0.5))
        for question, text in zip(asked, said, strict=True)
    ]
    tally = answers.Tally.of(found, [])
    assert (tally.right, tally.examples) == (4, 5)


def test_classes_are_never_joined(tmp_path):
    table = tmp_path / "held-out.csv"
    pd.DataFrame({"text": ["a", "a"], "kind": ["x", "y"]}).to_csv(table, index=False)
    asked = questions.collect([table], [], questions.Wanted("text", labels="kind"))
    assert [one.truth for one in asked] == ["x", "y"]
