"""How fast preparation is, and how much memory it takes.

    python -m benchmarks.preparation [--clips N] [--rounds N] [--memory]

Log-mels of wav files into one array on disk, in turns within each round (a busy machine then
slows all alike): our `prepare` with one and two workers, against a plain loop of soundfile and
torchaudio, librosa, and kaldi-native-fbank where they are installed
(`uv pip install --group bench`). Uses the real recordings in `../shared/data` where they are,
else generated clips. `--memory` prepares 2,000 and 20,000 generated clips, and tokenises
10,000 and 100,000 documents, each in a process of its own, and prints its peak.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.result import ratios
from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, Raw, SourceCard
from gatewise.config import LogMel, Tokens, source_class
from gatewise.data.frontends.tokens import PAD, UNKNOWN
from gatewise.data.preparation import clips as audio
from gatewise.data.preparation import documents
from gatewise.data.sources import _documents, fetch
from gatewise.data.sources._documents import Document

REAL = Path("../shared/data")
TOKENS = Tokens(kind="tokens")
RATE, N_FFT, HOP, MELS = 16_000, 512, 320, 40
CONFIG = LogMel(kind="log-mel", sample_rate=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=MELS)


def generate(folder: Path, clips: int) -> Raw:
    """One-second clips of noise."""
    folder.mkdir(parents=True)
    rows = []
    for number in range(clips):
        draw = np.random.default_rng(number)
        pcm = draw.integers(-3000, 3000, RATE, dtype=np.int16)
        path = folder / f"{number}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(pcm.tobytes())
        rows.append(
            Example(
                id=path.stem,
                path=path.name,
                label="ab"[number % 2],
                group=f"g{number % 50}",
                n_samples=RATE,
                sample_rate=RATE,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            )
        )
    manifest.write(folder, SourceCard(payload="audio", title="noise", licence="none"), rows)
    return Raw.open(folder)


def recordings(scratch: Path, clips: int) -> tuple[str, Raw]:
    """Real recordings where they are, else generated ones."""
    if (REAL / "SpeechCommands").is_dir():
        options = {"kind": "speech-commands", "version": "v0.01", "root": str(REAL)}
        source = source_class("speech-commands").model_validate(options)
        return "real recordings", fetch(source, scratch / "raw")
    return "generated clips", generate(scratch / "raw", clips)


# --- contenders: paths in, an .npy file out ------------------------------------------------


def ours(workers: int) -> Callable[[Raw, Path], None]:
    """What `prepare` does with clips: read, check, digest, transform, write."""

    def run(raw: Raw, scratch: Path) -> None:
        audio.transform(raw, CONFIG, scratch, workers)

    return run


def plain_loop(raw: Raw, scratch: Path) -> None:
    """One file after the other, as tutorials do."""
    import soundfile
    import torch
    import torchaudio

    mel = torchaudio.transforms.MelSpectrogram(RATE, n_fft=N_FFT, hop_length=HOP, n_mels=MELS)
    sequences = []
    for path in raw.manifest["path"]:
        samples, _ = soundfile.read(raw.locate(path), dtype="float32")
        sequences.append(torch.log(mel(torch.from_numpy(samples)) + 1e-6).T.numpy())
    np.save(scratch / "plain.npy", np.concatenate(sequences))


def with_librosa(raw: Raw, scratch: Path) -> None:
    """Librosa's loader and mel spectrogram."""
    import librosa

    sequences = []
    for path in raw.manifest["path"]:
        samples, _ = librosa.load(raw.locate(path), sr=RATE)
        mel = librosa.feature.melspectrogram(
            y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=MELS, htk=True
        )
        sequences.append(np.log(mel + 1e-6).T)
    np.save(scratch / "librosa.npy", np.concatenate(sequences))


def with_kaldi(raw: Raw, scratch: Path) -> None:
    """Kaldi's filter banks in C++."""
    import kaldi_native_fbank as knf
    import soundfile

    options = knf.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.frame_length_ms = 1000 * N_FFT / RATE
    options.frame_opts.frame_shift_ms = 1000 * HOP / RATE
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = MELS
    sequences = []
    for path in raw.manifest["path"]:
        samples, _ = soundfile.read(raw.locate(path), dtype="float32")
        fbank = knf.OnlineFbank(options)
        fbank.accept_waveform(RATE, samples.tolist())
        fbank.input_finished()
        frames = [fbank.get_frame(i) for i in range(fbank.num_frames_ready)]
        sequences.append(np.stack(frames))
    np.save(scratch / "kaldi.npy", np.concatenate(sequences))


def contenders() -> dict[str, Callable[[Raw, Path], None]]:
    """Those that are installed."""
    import importlib.util

    others = {
        "ours, 1 worker": ours(1),
        "ours, 2 workers": ours(2),
        "soundfile + torchaudio loop": plain_loop,
    }
    for package, run in (("librosa", with_librosa), ("kaldi_native_fbank", with_kaldi)):
        if importlib.util.find_spec(package):
            others[package] = run
        else:
            print(f"{package} is not installed: left out")
    return others


def in_turns(
    runs: dict[str, Callable[[Raw, Path], None]], raw: Raw, scratch: Path, rounds: int
) -> dict[str, list[float]]:
    """Seconds of each contender in each round; one more round before these warms up."""
    seconds: dict[str, list[float]] = {contender: [] for contender in runs}
    for number in range(rounds + 1):
        for contender, run in runs.items():
            began = time.perf_counter()
            run(raw, scratch)
            if number > 0:
                seconds[contender].append(time.perf_counter() - began)
    return seconds


def speed(clips: int, rounds: int) -> None:
    """Print the median of all rounds, and ratios taken within each round."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        what, raw = recordings(scratch, clips)
        print(f"{len(raw.manifest)} {what}, {rounds} rounds in turns, seconds (median)")
        seconds = in_turns(contenders(), raw, scratch, rounds)
        for contender, values in seconds.items():
            print(
                f"  {contender:30s} {statistics.median(values):7.3f} s   "
                f"{ratios(values, seconds['ours, 1 worker']):5.2f} times the time of our one worker"
            )


# --- memory --------------------------------------------------------------------------------


def peak_audio(clips: int) -> None:
    """Prepare generated clips and print this process's peak."""
    with tempfile.TemporaryDirectory() as name:
        raw = generate(Path(name) / "raw", clips)
        audio.transform(raw, CONFIG, Path(name), 2)
        _print_peak(f"{clips:7,} clips")


def write_documents(folder: Path, count: int) -> Raw:
    """Documents of 40 words, which are as frequent as Zipf's law has them."""
    draw = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(20_000)])
    weights = 1 / np.arange(1, 20_001)
    weights /= weights.sum()
    rows = (
        Document(
            id=f"d{i}",
            text=" ".join(draw.choice(words, 40, p=weights)),
            label="ab"[i % 2],
            group=f"g{i % 500}",
        )
        for i in range(count)
    )
    folder.mkdir(parents=True, exist_ok=True)
    card = SourceCard(payload="text", title="words", licence="none")
    manifest.write(folder, card, _documents.write(folder, rows))
    return Raw.open(folder)


def tokenise(raw: Raw, folder: Path) -> None:
    """Our `prepare`, four of five documents for training."""
    split = np.where(np.arange(len(raw.manifest)) % 5 > 0, "train", "test")
    documents.transform(raw, TOKENS, split, folder)


def plain_tokens(raw: Raw, scratch: Path) -> None:
    """Read, learn words and apply them, as tutorials do."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    texts = pd.read_parquet(raw.folder / manifest.DOCUMENTS)["text"].tolist()
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        vocab_size=TOKENS.vocabulary,
        min_frequency=TOKENS.min_frequency,
        special_tokens=[PAD, UNKNOWN],
        show_progress=False,
    )
    training = [text for number, text in enumerate(texts) if number % 5 > 0]
    tokenizer.train_from_iterator(training, trainer)
    encoded = [np.array(document.ids, np.int32) for document in tokenizer.encode_batch(texts)]
    np.save(scratch / "plain.npy", np.concatenate(encoded))


def peak_text(documents: int) -> None:
    """Tokenise generated documents and print this process's peak."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = write_documents(folder, documents)
        start = time.perf_counter()
        tokenise(raw, folder)
        seconds = time.perf_counter() - start
        _print_peak(f"{documents:7,} documents, tokenised in {seconds:.1f} s")


def _print_peak(what: str) -> None:
    unit = 1 if sys.platform == "darwin" else 1024
    peak, worker = (
        resource.getrusage(who).ru_maxrss * unit / 2**20
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"  {what}: peak {peak:.0f} MiB, of a worker {worker:.0f} MiB", flush=True)


def memory() -> None:
    """Ten times as much data, each size in a process of its own."""
    for kind, sizes in (("audio", (2_000, 20_000)), ("text", (10_000, 100_000))):
        print(f"peak memory, {kind}")
        for size in sizes:
            code = f"from benchmarks.preparation import peak_{kind}; peak_{kind}({size})"
            subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description="Speed and memory of preparation.")
    parser.add_argument("--clips", type=int, default=2_000, help="generated clips")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    if options.memory:
        memory()
    else:
        speed(options.clips, options.rounds)


if __name__ == "__main__":
    main()
