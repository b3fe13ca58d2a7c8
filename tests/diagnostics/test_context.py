import numpy as np
import pytest

torch = pytest.importorskip("torch")
from gatewise.artifacts import runs  # noqa: E402
from gatewise.artifacts.context import ContextReport  # noqa: E402
from gatewise.artifacts.plan import ContextPlan  # noqa: E402
from gatewise.artifacts.runs import RunRecord  # noqa: E402
from gatewise.config import VariantConfig  # noqa: E402
from gatewise.diagnostics import context  # noqa: E402
from gatewise.errors import GatewiseError  # noqa: E402
from gatewise.models.classifier import SequenceClassifier  # noqa: E402
from gatewise.models.complexity import Sizes  # noqa: E402
from gatewise.training.scoring import weights_digest  # noqa: E402
from tests.evidence_runs import record  # noqa: E402
from tests.tasks import write_task  # noqa: E402

MEAN = VariantConfig(cell="rnn", hidden=4, pooling="mean")
"""Made by hand, it sees which feature is high on average."""
PLAN = ContextPlan(task="toy", variants={"rnn": ("rnn",)}, metric="accuracy")


def write_model(folder, prepared, variant="rnn", config=MEAN):
    """A run whose recurrence hands on its input, so that the mean over the steps decides."""
    from safetensors.torch import save_file

    model = SequenceClassifier(config, Sizes.of(prepared.card))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.zero_()
            if name.endswith(("weight_ih", "classifier.weight")):
                parameter.copy_(torch.eye(*parameter.shape))
    if prepared.card.normalise == "train":
        model.set_input_statistics(torch.zeros(4), torch.ones(4))
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    made = record("toy", variant, 0, 0.5, config=config, weights_sha256=weights_digest(weights))
    folder.mkdir(parents=True)
    save_file(weights, folder / runs.WEIGHTS)
    made.write(folder)
    return model.eval()


@pytest.fixture
def toy(tmp_path):
    """A task whose label shows in the second half of each sequence, and a run that averages."""
    prepared = write_task(tmp_path / "prepared", examples=900, noise=1.2)
    model = write_model(tmp_path / "seed-0", prepared)
    return tmp_path, prepared, model


def whole(prepared, model, rows, cut=None):
    """Logits one sequence at a time, as if it had been recorded so."""
    answers = []
    for row in rows:
        start, length = prepared.index.loc[row, ["start", "length"]]
        sequence = prepared.sequences[start : start + length]
        if cut is not None:
            sequence = sequence[-cut:]
        with torch.inference_mode():
            inputs = torch.from_numpy(np.array(sequence))[None]
            answers.append(model(inputs, torch.tensor([len(sequence)])))
    return torch.cat(answers)


def test_contexts_double_up_to_the_whole():
    assert context.contexts(12) == (1, 2, 4, 8, 12)
    assert context.contexts(8) == (1, 2, 4, 8)
    assert context.contexts(1) == (1,)


@pytest.mark.parametrize("steps", [1, 3, 12])
def test_the_last_steps_are_given_as_if_the_sequence_had_begun_there(toy, steps):
    _, prepared, model = toy
    rows = context.test_rows(prepared, 0)
    parts = context.answered(model, prepared, rows, steps)
    found = torch.cat([part.outputs for part in parts])
    assert torch.allclose(found, whole(prepared, model, rows, steps), atol=1e-6)
    if steps == 12:
        assert torch.allclose(found, whole(prepared, model, rows), atol=1e-6)


def test_a_task_whose_answer_stands_at_the_end_needs_no_more(toy):
    folder, prepared, _ = toy
    found = context.evaluate(PLAN, [folder / "seed-0"], folder / "prepared", workers=1)
    (scores,) = found.variants["rnn"].scores
    assert found.steps == (1, 2, 4, 8, 12)
    assert scores[2] > scores[0], "four steps say more than one"
    assert scores[2] > scores[-1], "what stands before the label's half is noise"
    assert found.variants["rnn"].seeds == (0,)
    assert found.median_length == np.median(
        prepared.index["length"][prepared.index["split"] == "test"]
    )
    again = context.evaluate(PLAN, [folder / "seed-0"], folder / "prepared", workers=2)
    assert again == found


def test_splits_that_are_drawn_are_those_of_the_seed(tmp_path):
    prepared = write_task(tmp_path / "prepared", resample=True)
    assert set(context.test_rows(prepared, 0)) != set(context.test_rows(prepared, 1))


def test_other_weights_than_the_records_are_refused(toy):
    folder, prepared, _ = toy
    other = RunRecord.read(folder / "seed-0").model_copy(update={"weights_sha256": "0"})
    with pytest.raises(GatewiseError, match=r"not the weights that run.json names"):
        context.load(folder / "seed-0", other, prepared)
    (folder / "seed-0" / runs.WEIGHTS).unlink()
    with pytest.raises(GatewiseError, match=r"missing; run `dvc repro train`"):
        context.load(folder / "seed-0", RunRecord.read(folder / "seed-0"), prepared)


def test_stage_asks_the_runs_of_the_plan_and_keeps_what_it_found(tmp_path, monkeypatch, capsys):
    from gatewise import config
    from gatewise.artifacts import plan
    from pipeline import context as stage
    from tests.evidence_runs import study

    monkeypatch.chdir(tmp_path)
    prepared = write_task(tmp_path / "data" / "prepared" / "toy")
    write_model(tmp_path / "runs" / "toy" / "rnn" / "seed-0", prepared)
    write_model(tmp_path / "runs" / "toy" / "dropped" / "seed-0", prepared, "dropped")
    declared = study(("rnn",), compare={}, execution={"workers": 1})
    monkeypatch.setattr(config, "load_operation", lambda: (declared.execution, declared.tracking))
    plan.write(declared)
    stage.main(["toy"])
    assert "1 run(s) scored" in capsys.readouterr().out
    first = ContextReport.read("reports/context/toy.json")
    assert list(first.variants) == ["rnn"]
    stage.main(["toy"])
    assert "unchanged" in capsys.readouterr().out
    assert ContextReport.read("reports/context/toy.json") == first
