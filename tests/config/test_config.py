import copy

import pytest
import yaml

from gatewise import config
from gatewise.config import objective_class
from gatewise.config.metrics import METRICS
from gatewise.errors import GatewiseError


@pytest.fixture
def raw(project):
    return yaml.safe_load((project / "params.yaml").read_text())


def put(tree, path, value):
    *parents, last = path.split(".")
    for key in parents:
        tree = tree[key]
    tree[last] = value


def test_the_shipped_study_is_the_promised_one(project):
    study = config.load(project / "params.yaml")
    assert list(study.tasks) == ["commands", "digits", "reviews"]
    assert list(study.variants) == ["rnn", "lstm", "gru", "gru-matched"]
    assert study.seeds_of("commands", "lstm") == list(range(8))
    assert study.seeds_of("digits", "gru") == list(range(24))
    assert all(study.tuning_for(task).trials == 5 for task in study.tasks)
    assert study.compare.primary == (("gru", "lstm"), ("gru-matched", "lstm"))
    assert study.execution.threads_per_run == 1


def test_task_settings_lie_over_the_common_ones(raw):
    raw["tasks"]["digits"]["train"] = {"epochs": 3}
    study = config.parse(raw)
    assert study.train_for("digits").epochs == 3
    assert study.train_for("digits").batch_size == study.train.batch_size


def test_a_task_can_widen_all_of_its_models_and_read_both_ways(raw):
    plain = config.parse(raw).model_dump(mode="json")["tasks"]["digits"]["model"]
    assert not {"hidden", "bidirectional"} & plain.keys(), "plans of other tasks stay as they were"
    raw["tasks"]["digits"]["model"] = {"hidden": 96, "bidirectional": True}
    study = config.parse(raw)
    lstm, matched = (study.variant_for("digits", name) for name in ("lstm", "gru-matched"))
    assert (lstm.hidden, lstm.bidirectional) == (96, True)
    assert (matched.hidden, matched.bidirectional) == (None, True), "its width follows"
    other = study.variant_for("reviews", "lstm")
    assert (other.hidden, other.bidirectional) == (64, False)
    assert config.parse(study.model_dump(mode="json")).tasks["digits"] == study.tasks["digits"]


@pytest.mark.parametrize("name", objective_class("classify").metrics)
def test_every_metric_of_the_objective_can_be_primary(raw, name):
    raw["tasks"]["digits"]["metric"] = name
    assert config.parse(raw).tasks["digits"].metric == name


def test_what_a_task_asks_for_follows_from_its_source_and_fits_its_data(raw):
    assert raw["tasks"].keys() >= {"digits"}
    assert config.parse(raw).tasks["digits"].objective.kind == "classify"
    raw["tasks"]["visits"] = {"source": {"kind": "tourism"}, "features": {"kind": "series"}}
    study = config.parse(raw)
    assert study.tasks["visits"].objective.model_dump() == {
        "kind": "forecast",
        "horizon": 24,
        "season": 12,
        "quantiles": (0.1, 0.5, 0.9),
    }
    assert study.tasks["visits"].metric == "mase"
    assert study.compare_for("visits").rope == METRICS["mase"].rope != study.compare.rope
    assert study.compare_for("digits") == study.compare
    told = study.model_copy(
        update={"compare": study.compare.model_copy(update={"ropes": {"mase": 0.05}})}
    )
    assert told.compare_for("visits").rope == 0.05
    ratio = study.compare.tolerance / study.compare.rope
    assert told.compare_for("visits").tolerance == pytest.approx(0.05 * ratio)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": {"kind": "forecats"}}, "did you mean forecast"),
        ({"objective": {"kind": "forecast", "horizon": 3}}, "season: Field required"),
        ({"objective": {"kind": "classify"}}, "series do not suit the objective classify"),
        ({"metric": "accuracy"}, "accuracy does not suit the objective forecast; use mase"),
        ({"split": {"resample": True}}, "series are split in time"),
        (
            {"objective": {"kind": "forecast", "horizon": 3, "season": 1, "quantiles": [0.2, 0.8]}},
            "have the median",
        ),
        (
            {"train": {"label_smoothing": 0.1}},
            r"tasks\.visits: train\.label_smoothing changes nothing .* forecast; leave it out",
        ),
        (
            {"tuning": {"space": {"label_smoothing": [0.0, 0.1]}}},
            r"tuning\.space\.label_smoothing changes nothing where the objective is forecast",
        ),
    ],
)
def test_what_a_task_cannot_ask_for_is_refused(raw, changes, said):
    source = {"source": {"kind": "tourism"}, "features": {"kind": "series"}}
    raw["tasks"]["visits"] = source | changes
    with pytest.raises(GatewiseError, match=said):
        config.parse(raw)


def test_smoothed_labels_of_the_whole_study_reach_the_tasks_that_have_some(raw):
    raw["tasks"]["visits"] = {"source": {"kind": "tourism"}, "features": {"kind": "series"}}
    raw["tasks"]["said"] = {
        "source": {"kind": "text-file", "path": "pairs.csv", "text": "from", "label": "to"},
        "features": {"kind": "tokens"},
        "objective": {"kind": "generate"},
        "train": {"label_smoothing": 0.2},
    }
    raw["train"]["label_smoothing"] = 0.1
    study = config.parse(raw)
    assert study.train_for("visits").label_smoothing == 0.1
    assert study.train_for("said").label_smoothing == 0.2
    assert study.tasks["said"].metric == "bleu"


MISTAKES = [
    ("trian", 1, ["unknown key 'trian'", "did you mean train", "allowed: tasks"]),
    ("tasks.commands.features.n_mel", 3, ["tasks.commands.features", "did you mean n_mels"]),
    ("tasks.commands.features.n_mels", "many", ["tasks.commands.features.n_mels", "'many'"]),
    ("tasks.commands.features.kind", "wavelet", ["tasks.commands.features", "log-mel"]),
    ("tasks.commands.features.win_length", 4096, ["win_length 4096", "n_fft"]),
    ("tasks.commands.source.kind", "digts", ["unknown source 'digts'", "did you mean digits"]),
    ("tasks.commands.source.voicez", 3, ["tasks.commands.source", "unknown key 'voicez'"]),
    ("tasks.commands.augment.gain_db", [3, -3], ["augment.gain_db", "runs backwards"]),
    ("tasks.commands.features.kind", "mfcc", ["tasks.commands", "needs features of the kind log"]),
    (
        "tasks.digits.augment",
        {"noise_snr_db": [0, 9]},
        ["tasks.digits", "needs features of the kind log"],
    ),
    (
        "tasks.digits.metric",
        "acuracy",
        ["tasks.digits.metric", "unknown metric", "did you mean accuracy"],
    ),
    ("tasks.reviews.split.resample", True, ["tasks.reviews", "would leak"]),
    ("tasks.commands.split.test", 0.95, ["tasks.commands.split", "nothing to train on"]),
    ("tasks.Bad Name", {}, ["tasks", "Bad Name"]),
    ("variants.gru-matched.hidden", 3, ["variants.gru-matched", "either hidden or match"]),
    ("variants.lstm", {"cell": "lstm"}, ["variants.lstm", "width is missing"]),
    ("variants.gru-matched.match", {"parameters": "lstn"}, ["'lstn'", "did you mean lstm"]),
    ("variants.gru.match", {"macs": "lstm", "hidden": "lstm"}, ["exactly one of"]),
    ("variants.lstm.dropout", 1.5, ["variants.lstm.dropout", "1.5"]),
    ("variants.lstm.chrono_steps", 50, ["variants.lstm", "belongs to init: chrono"]),
    ("seeds", [1, 1], ["seeds", "listed twice"]),
    ("seeds", [], ["seeds", "empty"]),
    ("seeds", 0, ["seeds", "greater than or equal to 1"]),
    ("train.epochs", 0, ["train.epochs"]),
    ("compare.primary", [["gru", "grue"]], ["compare.primary", "'grue'", "did you mean gru"]),
    ("compare.primary", [["gru", "gru"]], ["compared with itself"]),
    ("execution.workers", 0, ["execution.workers"]),
    ("execution.accelerator", "tpu", ["execution.accelerator", "cuda"]),
    ("execution.backend", "slurm", ["execution.backend", "'local' or 'ray'"]),
    ("execution.ray_address", "head:6379", ["execution", "belongs to backend: ray"]),
    ("execution", {"backend": "ray", "gpus_per_run": 0.5}, ["accelerator: cpu would not use"]),
    ("execution", {"backend": "ray", "devices": 2}, ["execution", "use one or the other"]),
    ("execution", {"workers": 2, "num_nodes": 2}, ["execution", "leave workers out"]),
    ("execution", {"accelerator": "mps", "devices": 2}, ["execution", "a single device"]),
]


@pytest.mark.parametrize(("path", "value", "expected"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_mistakes_are_named_with_their_path(raw, path, value, expected):
    put(raw, path, value)
    with pytest.raises(GatewiseError) as error:
        config.parse(raw, "params.yaml")
    message = str(error.value)
    assert message.startswith("params.yaml: ")
    for part in expected:
        assert part in message
    assert "Traceback" not in message


def test_a_match_cannot_rest_on_another_match(raw):
    raw["variants"]["third"] = {"cell": "gru", "match": {"macs": "gru-matched"}}
    with pytest.raises(GatewiseError, match="itself matched"):
        config.parse(raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a: [", "not readable as YAML"), ("just words", "expected a mapping"), ("", "expected")],
)
def test_what_is_not_a_study_is_refused(tmp_path, text, expected):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(GatewiseError, match=expected):
        config.load(path)
    with pytest.raises(GatewiseError, match="no such file"):
        config.load(tmp_path / "absent.yaml")


def test_a_study_survives_a_round_trip(raw):
    study = config.parse(copy.deepcopy(raw))
    again = config.parse(study.model_dump(mode="json"))
    assert again == study
