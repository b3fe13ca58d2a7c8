import sys

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts.plan import CostsPlan, RunPlan
from gatewise.artifacts.prepared import Prepared, TaskCard
from gatewise.config import SplitConfig, TrainConfig, VariantConfig

torch = pytest.importorskip("torch")
from gatewise.diagnostics import profiling  # noqa: E402


def prepared(text=False, resample=False, sequences=80):
    rng = np.random.default_rng(0)
    length = rng.integers(4, 12, size=sequences)
    steps = int(length.sum())
    card = TaskCard(
        task="toy", modality="text" if text else "frames", title="toy", synthetic=True,
        licence="none", labels=["a", "b"], features=None if text else 3,
        vocabulary=20 if text else None, normalise="none" if text else "train", front_end={},
        resample=resample, split={"validation": 0.15, "test": 0.2}, metric="accuracy", digest="0",
    )  # fmt: skip
    index = pd.DataFrame(
        {
            "id": [str(i) for i in range(sequences)],
            "label": rng.integers(2, size=sequences),
            "group": "g",
            "split": ["train"] * (sequences - 10) + ["test"] * 10,
            "start": np.concatenate([[0], np.cumsum(length)[:-1]]),
            "length": length,
        }
    )
    values = rng.integers(1, 20, steps).astype(np.int32)
    return Prepared(card, values if text else rng.normal(size=(steps, 3)).astype(np.float32), index)


def plan(cell, **model):
    return RunPlan(
        task="toy", variant=cell, config=VariantConfig(cell=cell, **{"hidden": 5, **model}),
        reference=None, train=TrainConfig(batch_size=16), split=SplitConfig(), augment=None,
        metric="accuracy", seeds=(0,), threads=1, accelerator="cpu", precision="32-true",
    )  # fmt: skip


@pytest.mark.parametrize("text", [False, True])
def test_every_figure_of_every_variant(text):
    plans = {"lstm": plan("lstm"), "gru": plan("gru"), "both-ways": plan("gru", bidirectional=True)}
    costs = profiling.profile(prepared(text), plans, seconds=0.01)
    assert costs.threads == 1
    assert costs.device.startswith("cpu (")
    for name, cost in costs.variants.items():
        for timing in (cost.train_step_ms, cost.inference_ms_batch_1, cost.inference_ms_batch_64):
            assert 0 < timing.q1 <= timing.median <= timing.q3
            assert np.median(timing.rounds) == timing.median
            assert len(timing.rounds) >= profiling.FEWEST_ROUNDS
        assert (cost.streaming_step_ms is None) == (name == "both-ways")
        batches = 5  # 70 training examples, 16 at a time
        assert cost.train_seconds_per_epoch == pytest.approx(
            batches * cost.train_step_ms.median / 1000
        )
        assert cost.kernel == "fused"
        assert 0 < cost.share_of_peak < 1
        assert cost.size_bytes > 4 * cost.parameters
        # weights, gradients and AdamW's two moments are alive together
        assert cost.peak_memory_mb > 4 * 4 * cost.parameters / 1e6
    assert costs.variants["gru"].parameters < costs.variants["lstm"].parameters


def test_memory_grows_with_the_width_and_is_hardly_varies():
    def measure(hidden):
        plans = {"gru": plan("gru", hidden=hidden)}
        return profiling.profile(prepared(), plans, seconds=0).variants["gru"].peak_memory_mb

    # A few kilobytes hang on what the process has run before.
    assert measure(8) == pytest.approx(measure(8), rel=0.1)
    assert measure(8) < measure(64)


def test_the_callers_thread_count_is_left_as_it_was():
    before = torch.get_num_threads()
    profiling.profile(prepared(), {"gru": plan("gru")}, seconds=0)
    assert torch.get_num_threads() == before


def test_typical_batch_is_of_about_mean_length_and_padded():
    data = prepared()
    batch = profiling.typical_batch(data, 16)
    mean = data.index["length"].mean()
    assert abs(float(batch.lengths.float().mean()) - mean) < 1
    assert batch.inputs.shape == (16, int(batch.lengths.max()), 3)
    row = data.index.iloc[int((data.index["length"] - mean).abs().to_numpy().argsort()[0])]
    expected = data.sequences[row.start : row.start + row.length]
    assert np.array_equal(batch.inputs[0, : row.length].numpy(), expected)
    assert len(profiling.typical_batch(prepared(sequences=20), 64).targets) == 64


def test_examples_of_an_epoch():
    assert profiling.training_examples(prepared()) == 70
    assert profiling.training_examples(prepared(resample=True)) == 52


def test_turns_rotate():
    calls = []
    work = {name: (lambda n=name: calls.append(n)) for name in "ab"}
    profiling.interleaved(work, 0, torch.device("cpu"))
    measured = calls[2 * profiling.WARM_UP :]
    assert measured[:4] == ["a", "b", "b", "a"]
    assert measured.count("a") == measured.count("b") == profiling.FEWEST_ROUNDS


def test_stage_writes_the_file_and_needs_neither_lightning_nor_mlflow(tmp_path, monkeypatch):
    from gatewise.artifacts.costs import CostReport
    from pipeline import profile as stage

    monkeypatch.chdir(tmp_path)
    data = prepared()
    folder = tmp_path / "data/prepared/toy"
    folder.mkdir(parents=True)
    np.save(folder / "sequences.npy", data.sequences)
    data.write(folder)
    CostsPlan(task="toy", runs={"gru": plan("gru")}).write("data/plan/toy/costs.json")
    monkeypatch.setattr(profiling, "MOST_ROUNDS", 2)
    before = set(sys.modules)
    stage.main(["toy"])
    assert set(CostReport.read("reports/cost/toy.json").variants) == {"gru"}
    assert not {"pytorch_lightning", "mlflow"} & (set(sys.modules) - before)


def changed(cell="gru", train=None, **execution):
    made = plan(cell)
    return made.model_copy(update={"train": made.train.model_copy(update=train or {}), **execution})


def test_an_epoch_is_of_the_share_that_is_trained_on():
    plans = {"gru": changed(train={"fraction": 0.1}), "lstm": changed("lstm")}
    costs = profiling.profile(prepared(), plans, seconds=0).variants
    for name, batches in (("gru", 1), ("lstm", 5)):  # 7 and 70 training examples, 16 at a time
        step = costs[name].train_step_ms.median / 1000
        assert costs[name].train_seconds_per_epoch == pytest.approx(batches * step)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(
    ("precision", "weights", "computed"),
    [
        ("32-true", torch.float32, torch.float32),
        ("64-true", torch.float64, torch.float64),
        ("bf16-mixed", torch.float32, torch.bfloat16),
        ("16-mixed", torch.float32, torch.bfloat16),  # on a CPU
    ],
)
def test_a_step_is_measured_in_the_precision_of_training(
    text, precision, weights, computed, monkeypatch
):
    seen = []

    def noted(logits, labels, **_):
        seen.append(logits.dtype)
        return torch.nn.functional.nll_loss(logits.float().log_softmax(1), labels)

    monkeypatch.setattr(profiling.nn.functional, "cross_entropy", noted)
    build = profiling._build
    subjects = []
    monkeypatch.setattr(
        profiling, "_build", lambda *given: subjects.append(build(*given)) or subjects[-1]
    )
    plans = {"gru": changed(precision=precision)}
    costs = profiling.profile(prepared(text), plans, seconds=0).variants["gru"]
    assert costs.streaming_step_ms is not None
    assert set(seen) == {computed}
    assert {p.dtype for p in subjects[0].model.parameters()} == {weights}


def test_compiled_steps_are_measured_compiled(monkeypatch):
    from gatewise.models.recurrence import Recurrence

    compiled = []

    def note(recurrence):
        compiled.append(recurrence)

    monkeypatch.setattr(Recurrence, "compile_steps", note)
    profiling.profile(prepared(), {"gru": changed(), "lstm": changed("lstm")}, seconds=0)
    assert compiled == []
    profiling.profile(prepared(), {"gru": changed(compile=True)}, seconds=0)
    assert len(compiled) == 1
