import base64
import io

import numpy as np
import pandas as pd
import pytest
import soundfile

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import TaskCard
from gatewise.config import LogMel, Tokens, VariantConfig
from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json
from gatewise.serving.predictor import BadInputError, Predictor, decode, gather
from tests.records import name_files
from tests.tasks import LABELS, make_plan, write_task
from tests.tracking.conftest import write_run


def card(modality: str, **changes) -> TaskCard:
    front_end = {
        "audio": LogMel(kind="log-mel", sample_rate=8000, n_fft=256, n_mels=8, seconds=0.5),
        "text": Tokens(kind="tokens", max_length=6),
        "frames": None,
    }[modality]
    settings = {
        "task": "digits",
        "modality": modality,
        "title": "made up",
        "synthetic": True,
        "licence": "MIT",
        "labels": LABELS,
        "features": None if modality == "text" else {"audio": 8, "frames": 4}[modality],
        "vocabulary": 12 if modality == "text" else None,
        "normalise": "none",
        "front_end": front_end.model_dump(mode="json") if front_end else {"kind": "frames"},
        "resample": False,
        "split": {},
        "metric": "accuracy",
        "digest": "d" * 64,
    }
    return TaskCard(**{**settings, **changes})


def model_folder(folder, modality):
    """A model folder with drawn weights."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer

    from gatewise.data.frontends import tokens
    from gatewise.models.classifier import SequenceClassifier
    from gatewise.models.complexity import Sizes

    description = card(modality)
    prepared = folder / "prepared" / "digits"
    prepared.mkdir(parents=True)
    write_json(prepared / "task.json", description.model_dump(mode="json"))
    if modality == "text":
        settings = Tokens(kind="tokens", min_frequency=1, vocabulary=12)
        tokenizer = tokens.train(["a good film", "a bad film"], settings)
        tokens.save(tokenizer, prepared / "tokenizer.json", 6)
        assert isinstance(tokenizer, Tokenizer)
    variant = VariantConfig(cell="gru", hidden=6, embedding=4)
    run = write_run(folder / "runs", "gru", 0, config=variant)
    torch.manual_seed(0)
    model = SequenceClassifier(variant, Sizes.of(description))
    save_file(model.state_dict(), run / runs.WEIGHTS)
    name_files(run)
    target = folder / "model"
    target.mkdir()
    gather(run, folder / "prepared", target)
    return target


def wav(seconds=0.5, rate=8000, channels=1, kind="WAV"):
    file = io.BytesIO()
    wave = np.random.default_rng(0).normal(0, 0.1, (int(seconds * rate), channels))
    soundfile.write(file, wave, rate, format=kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    return Predictor.load(model_folder(tmp_path_factory.mktemp("audio"), "audio"))


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return Predictor.load(model_folder(tmp_path_factory.mktemp("frames"), "frames"))


@pytest.fixture(scope="module")
def text_model(tmp_path_factory):
    return Predictor.load(model_folder(tmp_path_factory.mktemp("text"), "text"))


@pytest.mark.slow
def test_a_test_split_gets_its_recorded_probabilities_bit_for_bit(tmp_path):
    from gatewise.training import one_run
    from gatewise.training.job import Job

    prepared = write_task(tmp_path / "prepared" / "toy", examples=700)
    run = tmp_path / "run"
    run.mkdir()
    one_run.train(Job(make_plan(), 0, "key", tmp_path / "prepared" / "toy", run), lambda *_: None)
    recorded = pd.read_parquet(run / runs.PREDICTIONS)
    predictor = Predictor.from_run(run, tmp_path / "prepared")
    rows = prepared.index.set_index("id").loc[recorded["id"]]
    items = [
        {"frames": np.array(prepared.sequences[start : start + length]).tolist()}
        for start, length in zip(rows["start"], rows["length"], strict=True)
    ]
    answers = predictor(items)
    found = np.array([list(answer.probabilities.values()) for answer in answers], np.float32)
    assert found.tobytes() == np.stack(recorded["probabilities"]).tobytes()
    assert [LABELS.index(answer.label) for answer in answers] == recorded["predicted"].tolist()
    alone = np.array([list(predictor([item])[0].probabilities.values()) for item in items[:20]])
    np.testing.assert_allclose(alone, found[:20], atol=1e-6)


def test_a_file_and_its_samples_get_the_same_answer(audio):
    clip = decode(wav())
    samples, rate = clip.samples, clip.rate
    answers = [
        audio([item])[0]
        for item in (
            {"audio": wav()},
            {"audio": base64.b64encode(wav()).decode()},
            {"samples": samples.tolist(), "rate": rate},
            {"samples": samples[:, 0].tolist(), "rate": rate, "audio": None},
        )
    ]
    assert len({tuple(answer.probabilities.items()) for answer in answers}) == 1
    assert sum(answers[0].probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert answers[0].probability == max(answers[0].probabilities.values())
    assert answers[0].probabilities[answers[0].label] == answers[0].probability


@pytest.mark.parametrize(
    "item", [wav(rate=44100), wav(channels=2), wav(0.01), wav(2), wav(kind="FLAC")]
)
def test_any_rate_length_channels_and_format_are_taken(audio, item):
    assert audio([{"audio": item}])[0].label in LABELS


def test_order_and_company_do_not_matter(text_model):
    documents = ["a good film", "bad", "film film film film film film film", "?", "zzz good"]
    together = text_model([{"text": document} for document in documents])
    for document, answer in zip(documents, together, strict=True):
        alone = text_model([{"text": document}])[0]
        assert alone.label == answer.label
        assert alone.probability == pytest.approx(answer.probability, abs=1e-6)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({}, "takes audio .*; got nothing"),
        ({"text": "hello"}, "takes audio .*; got text"),
        ({"samples": [0.0]}, "got samples"),
        ({"audio": b"not a sound"}, "not decodable as sound"),
        ({"audio": "!!"}, "not base64"),
        ({"audio": 7}, "must be a sound file's bytes, not int"),
        ({"audio": wav(61, 4000)}, "lasts 61 s"),
        ({"samples": [], "rate": 8000}, "no samples"),
        ({"samples": [float("nan")], "rate": 8000}, "not finite"),
        ({"samples": ["x"], "rate": 8000}, "must be numbers"),
        ({"samples": [[[0.0]]], "rate": 8000}, r"not \(1, 1, 1\)"),
        ({"samples": [0.0], "rate": -1}, "outside 4000 to 192000 Hz"),
        ({"samples": [0.0], "rate": 8000.5}, "rate must be"),
        ({"samples": [[0.0] * 3], "rate": 8000}, "3 channels"),
        ({"samples": [2e4], "rate": 8000}, "between -1 and 1"),
        ({"audio": wav()[:-1]}, "truncated"),
        ({"samples": [0.0] * 8000 * 61, "rate": 8000}, "lasts 61 s; at most 60 s"),
    ],
)
def test_bad_audio_is_refused_with_its_reason(audio, item, reason):
    with pytest.raises(BadInputError, match=reason):
        audio([item])


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"frames": [[1.0]]}, r"must be \(steps, 4\) .* not \(1, 1\)"),
        ({"frames": []}, "must be"),
        ({"frames": [[1, 2, 3, 4], [1]]}, "equally many"),
        ({"frames": [[1, 2, 3, float("inf")]]}, "not finite"),
        ({"frames": [[0, 0, 0, 0]] * 100_001}, "at most 100000"),
        ({"text": "x"}, "takes frames"),
    ],
)
def test_bad_frames_are_refused_with_their_reason(frames, item, reason):
    with pytest.raises(BadInputError, match=reason):
        frames([item])


def test_a_text_is_asked_as_it_is_trained_on(text_model):
    (plain,) = text_model([{"text": "good film"}])
    for written in ("\ufeffgood film\n", "  good film"):
        assert text_model([{"text": written}]) == [plain]
    for empty in ("", " \ufeff\n"):
        with pytest.raises(BadInputError, match="text: empty text"):
            text_model([{"text": empty}])


def test_the_bad_item_is_named(text_model):
    with pytest.raises(BadInputError, match="item 1: text must be a string, not int"):
        text_model([{"text": "fine"}, {"text": 5}])


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(GatewiseError, match=r"not a model folder, task.json is missing"):
        Predictor.load(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path):
    folder = model_folder(tmp_path, "frames")
    record = read_json(folder / "run.json")
    record["config"]["hidden"] = 7
    write_json(folder / "run.json", record)
    with pytest.raises(GatewiseError, match="weights do not fit"):
        Predictor.load(folder)


def test_a_run_of_other_data_is_refused(tmp_path):
    folder = model_folder(tmp_path, "frames")
    other = card("frames", digest="e" * 64)
    write_json(tmp_path / "prepared/digits/task.json", other.model_dump(mode="json"))
    with pytest.raises(GatewiseError, match="trained on other data"):
        gather(tmp_path / "runs/digits/gru/seed-0", tmp_path / "prepared", folder)
