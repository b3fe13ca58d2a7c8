"""Logged models against what evaluation recorded, and against MLflow's own scoring server."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from gatewise.artifacts import manifest, runs
from gatewise.artifacts.manifest import Example, Raw, SourceCard
from gatewise.config import TaskConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare
from gatewise.serving.pyfunc import copy_code, save
from tests import sounds
from tests.tasks import make_plan
from tests.tracking.servers import _answers, _wait, free_port

SPLIT = {"validation": 0.25, "test": 0.25}
WORDS = ("fine", "poor", "slow", "bright", "dull", "warm", "long", "short")


def audio(folder: Path) -> tuple[TaskConfig, Path]:
    """Noise by thirty speakers, two words."""
    sounds.folder(folder / "clips")
    config = {
        "source": {"kind": "audio-folder", "path": str(folder / "clips"), "group": "/([^_]+)_"},
        "features": {"kind": "log-mel", "sample_rate": 8000, "n_fft": 256, "n_mels": 12},
    }
    task = TaskConfig.model_validate({**config, "split": SPLIT})
    sources.fetch(task.source, folder / "raw")
    return task, folder / "raw"


def text(folder: Path) -> tuple[TaskConfig, Path]:
    """Made-up reviews of different lengths."""
    draws = np.random.default_rng(1)
    lines = ["text,label,who"]
    for place in range(160):
        words = " ".join(draws.choice(WORDS, size=draws.integers(3, 12)))
        lines.append(f"{words} {place},{'ab'[place % 2]},s{place // 4}")
    (folder / "mine.csv").write_text("\n".join(lines) + "\n")
    source = {"kind": "text-file", "path": str(folder / "mine.csv"), "group": "who"}
    features = {"kind": "tokens", "min_frequency": 1, "max_length": 8}
    known = {"duplicates": "few words", "near-duplicates": "few words"}
    task = TaskConfig.model_validate(
        {"source": source, "features": features, "split": SPLIT, "allow": known}
    )
    sources.fetch(task.source, folder / "raw")
    return task, folder / "raw"


def frames(folder: Path) -> tuple[TaskConfig, Path]:
    """Ready-made frames; more of them than one evaluation batch in the test split."""
    draws = np.random.default_rng(2)
    lengths = draws.integers(3, 12, size=1400)
    parts = [draws.normal(size=(n, 5)).astype(np.float32) for n in lengths]
    (folder / "raw").mkdir()
    np.save(folder / "raw" / manifest.FRAMES, np.concatenate(parts))
    rows = [
        Example(
            id=f"one-{i}",
            label="ab"[i % 2],
            group=f"g{i % 40}",
            n_samples=int(lengths[i]),
            sha256=manifest.text_sha256(str(i)),
        )
        for i in range(len(parts))
    ]
    card = SourceCard(payload="frames", title="made up", licence="none")
    manifest.write(folder / "raw", card, rows)
    settings = {"source": {"kind": "digits"}, "features": {"kind": "frames"}, "split": SPLIT}
    return TaskConfig.model_validate(settings), folder / "raw"


def items(raw: Raw, ids: list[str]) -> pd.DataFrame:
    """What a user would hand in for these examples."""
    rows = raw.manifest.reset_index(drop=True)
    places = rows.reset_index().set_index("id")["index"].loc[ids]
    if raw.card.payload == "audio":
        paths = rows["path"].iloc[places]
        return pd.DataFrame({"audio": [raw.locate(path).read_bytes() for path in paths]})
    if raw.card.payload == "text":
        texts = pd.read_parquet(raw.folder / manifest.DOCUMENTS)["text"]
        return pd.DataFrame({"text": texts.iloc[places].tolist()})
    ends = rows["n_samples"].cumsum()
    everything = np.load(raw.folder / manifest.FRAMES)
    return pd.DataFrame(
        {
            "frames": [
                everything[end - n : end].tolist()
                for end, n in zip(ends.iloc[places], rows["n_samples"].iloc[places], strict=True)
            ]
        }
    )


def trained(folder: Path, make) -> tuple[Path, Raw]:
    """A task from its source on, with one finished run; gives the run and the raw data."""
    from gatewise.training import one_run
    from gatewise.training.job import Job

    task, raw = make(folder)
    target = folder / "prepared" / "toy"
    prepare("toy", task, raw, target)
    run = folder / "run"
    run.mkdir()
    one_run.train(Job(make_plan(), 0, "key", target, run), lambda *_: None)
    return run, Raw.open(raw)


def test_a_model_carries_all_that_it_imports_and_nothing_that_trains(tmp_path):
    copy_code(tmp_path / "gatewise")
    code = (
        "import pkgutil, gatewise; from gatewise.serving import pyfunc; "
        "from gatewise.models import cells; print(len(cells.names())); "
        "[__import__(m.name) for m in pkgutil.walk_packages(gatewise.__path__, 'gatewise.')]"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) > 10
    carried = {path.parent.name for path in tmp_path.glob("gatewise/*/__init__.py")}
    assert {"artifacts", "config", "data", "models", "serving"} <= carried
    assert not {"evidence", "execution", "report", "tracking", "delivery"} & carried
    assert not (tmp_path / "gatewise/training/one_run.py").exists()


@pytest.mark.slow
@pytest.mark.parametrize("make", [audio, text, frames])
def test_a_loaded_model_gives_the_evaluations_probabilities_bit_for_bit(tmp_path, make):
    import mlflow

    run, raw = trained(tmp_path, make)
    save(run, tmp_path / "prepared", tmp_path / "model")
    recorded = pd.read_parquet(run / runs.PREDICTIONS)
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    answers = model.predict(items(raw, recorded["id"].tolist()))
    found = np.array([list(p.values()) for p in answers["probabilities"]], np.float32)
    assert len(found) > 10
    assert found.tobytes() == np.stack(recorded["probabilities"]).tobytes()


@pytest.mark.slow
def test_mlflows_own_server_answers_and_gives_reasons(tmp_path):
    run, raw = trained(tmp_path, audio)
    save(run, tmp_path / "prepared", tmp_path / "model")
    recorded = pd.read_parquet(run / runs.PREDICTIONS)
    (sound,) = items(raw, recorded["id"].tolist()[:1])["audio"]
    port = free_port()
    # The model brings its own copy of the package: nothing of this checkout is on the path.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW", "PYTHONPATH"))
    }
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["--model-uri", str(tmp_path / "model"), "--port", str(port), "--workers", "1"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, cwd=tmp_path, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(lambda: _answers(f"{address}/ping"), server, tmp_path / "log")

        def ask(body):
            return requests.post(f"{address}/invocations", json=body, timeout=60)

        good = ask({"dataframe_records": [{"audio": base64.b64encode(sound).decode()}]})
        assert good.status_code == 200, good.text
        (answer,) = good.json()["predictions"]
        assert answer["label"] in ("no", "yes")
        wanted = recorded["probabilities"].iloc[0]
        np.testing.assert_allclose(list(answer["probabilities"].values()), wanted, atol=1e-6)
        noise = base64.b64encode(b"no sound at all").decode()
        for body, reason in (
            ({"dataframe_records": [{"audio": noise}]}, "not decodable as sound"),
            ({"dataframe_records": [{}]}, "nothing to answer"),
            ({"dataframe_records": [{"audio": 7}]}, "audio"),
            ({"nonsense": 1}, "dataframe"),
        ):
            bad = ask(body)
            assert 400 <= bad.status_code < 500, (body, bad.text)
            assert reason in bad.text
            assert "Traceback" not in bad.json().get("message", bad.text)
    finally:
        os.killpg(server.pid, 9)
        server.wait()
