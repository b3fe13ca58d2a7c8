"""Digests of a little of everything that computes: `python -m tests.training.digests FOLDER`.

Prepares some clips and trains an LSTM, a GRU and an RNN on them with augmentation, in a process
of its own that computes with what `GATEWISE_INSTRUCTIONS` names. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import gatewise  # noqa: F401  # first: what follows loads NumPy and torch
from gatewise.training import instructions

CLIPS = 96
AUGMENT = {
    "time_shift": 0.05,
    "noise_snr_db": [5, 40],
    "gain_db": [-6, 6],
    "spec_augment": {"frequency_masks": 1, "time_masks": 1},
}
SETTINGS = {
    "source": {"kind": "synthetic-commands"},
    "split": {"validation": 0.25, "test": 0.25},
    "features": {"kind": "log-mel", "sample_rate": 8000, "n_fft": 256, "hop_length": 128}
    | {"n_mels": 20, "seconds": 0.4},
    "augment": AUGMENT,
}


def write_clips(folder: Path) -> Path:
    """Tones in noise of twelve speakers; their samples are whole numbers, the same anywhere."""
    import numpy as np
    import soundfile

    from gatewise.artifacts import manifest
    from gatewise.artifacts.manifest import Example, SourceCard
    from gatewise.files import sha256

    folder.mkdir(parents=True)
    rows = []
    for place in range(CLIPS):
        label = place // 12 % 2
        square = 4000 * (np.arange(3200) // (8 + 7 * label) % 2)
        samples = square + np.random.default_rng(place).integers(-6000, 6000, 3200)
        path = folder / f"{place}.wav"
        soundfile.write(path, samples.astype(np.int16), 8000, subtype="PCM_16")
        rows.append(
            Example(
                id=f"clip-{place}",
                path=path.name,
                label=["low", "high"][label],
                group=f"speaker-{place % 12}",
                n_samples=3200,
                sample_rate=8000,
                sha256=sha256(path),
            )
        )
    manifest.write(folder, SourceCard(payload="audio", title="tones", licence="none"), rows)
    return folder


def word_vectors_digest() -> str:
    """Digest of the vectors of some hundred words in made-up texts."""
    import hashlib

    import numpy as np

    from gatewise.training import word_vectors

    draws = np.random.default_rng(0)
    texts = [draws.zipf(1.3, 20) % 300 + 2 for _ in range(500)]
    found, _ = word_vectors.vectors(iter(texts), 302, 32)
    return hashlib.sha256(found.tobytes()).hexdigest()


def main(folder: Path) -> dict[str, str]:
    """Digest of the prepared clips and of each cell's weights and predictions."""
    from gatewise.artifacts.plan import RunPlan
    from gatewise.config import SplitConfig, TaskConfig, TrainConfig, VariantConfig
    from gatewise.data.preparation.build import prepare
    from gatewise.files import sha256
    from gatewise.training import one_run
    from gatewise.training.job import Job

    mode = os.environ[instructions.MODE]
    task = TaskConfig.model_validate(SETTINGS)
    prepare("tones", task, write_clips(folder / "raw"), folder / "prepared", workers=1)
    digests = {"prepared": sha256(folder / "prepared" / "sequences.npy")}
    digests["word vectors"] = word_vectors_digest()
    for cell in ("lstm", "gru", "rnn"):
        plan = RunPlan(
            task="tones",
            variant=cell,
            config=VariantConfig(cell=cell, hidden=48),
            reference=None,
            train=TrainConfig(epochs=2, batch_size=16, learning_rate=0.01),
            split=SplitConfig(),
            augment=task.augment,
            metric="accuracy",
            seeds=(0,),
            threads=1,
            instructions=mode,
            accelerator="cpu",
            precision="32-true",
        )
        target = folder / cell
        target.mkdir()
        job = Job(plan, 0, "key", folder / "prepared", target)
        record = one_run.train(job, lambda *_: None)
        digests[cell] = record.weights_sha256
        digests[f"{cell} predictions"] = record.predictions_sha256
    return digests


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
