"""Google Speech Commands: real recordings of thousands of people saying one word each."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, SourceCard
from gatewise.config import SourceOptions
from gatewise.config.work import Work
from gatewise.data.sources import _archive, _sounds
from gatewise.data.sources._package import CACHE
from gatewise.data.sources._sounds import Sound
from gatewise.errors import GatewiseError

SAMPLE_RATE = 16_000
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN, SILENCE = "_unknown_", "_silence_"
NOISE = "_background_noise_"
SHARE = 0.10
"""Unknown words and silence, each as a share of the ten words' clips in the same split:
`unknown_percentage` and `silence_percentage` of the published protocol (Warden 2018)."""
SPLITS = {"training": "train", "validation": "validation", "testing": "test"}
# Each split cuts its silence from its own stretch of every noise recording.
STRETCHES = {"train": (0.0, 0.7), "validation": (0.7, 0.85), "test": (0.85, 1.0)}

# Sizes and digests as torchaudio.datasets.SPEECHCOMMANDS checks them.
URL = "http://download.tensorflow.org/data/speech_commands_{version}.tar.gz"
SHA256 = {
    "v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
}


class Source(SourceOptions):
    """Speech Commands v0.01 or v0.02 with the published lists, used in place.

    Three protocols: `10-words`; `12-classes`, which adds `_unknown_` (the other words) and
    `_silence_` (cut from the background noise), a tenth as many clips each as the ten words
    have; and `35-words`, every word there is (30 in v0.01). The group of a clip is its speaker.
    """

    work: ClassVar[Work] = "speech"
    card: ClassVar[SourceCard] = SourceCard(
        payload="audio",
        title="Google Speech Commands, real recordings of one-word commands",
        licence="CC BY 4.0",
        citation="Warden 2018, Speech Commands, arXiv:1804.03209",
        homepage="https://arxiv.org/abs/1804.03209",
    )
    size: ClassVar[str] = "65,000 (v0.01) or 106,000 clips (v0.02); downloads 1.5 or 2.4 GB"
    needs: ClassVar[str] = "the network once, or an extracted folder (root)"

    kind: Literal["speech-commands"]
    version: Literal["v0.01", "v0.02"] = "v0.02"
    """Release: 30 words in v0.01, 35 in v0.02."""
    protocol: Literal["10-words", "12-classes", "35-words"] = "35-words"
    """Which words are labels."""
    root: str | None = None
    """Folder that holds `SpeechCommands/speech_commands_<version>/` already, as
    `torchaudio.datasets.SPEECHCOMMANDS(root)` lays it out; left out: downloaded."""

    def reads(self) -> list[Path]:
        """The extracted folder, where it is given."""
        return [] if self.root is None else [self._home(Path(self.root))]

    def _home(self, root: Path) -> Path:
        return root / "SpeechCommands" / f"speech_commands_{self.version}"

    def fetch(self, target: Path) -> None:
        """List the clips into `target`, which also gets the silence that is cut."""
        root = Path(self.root) if self.root is not None else self._download()
        home = self._home(root)
        if not home.is_dir():
            raise GatewiseError(
                f"{home}: no such folder; root must hold SpeechCommands/, or leave root out to "
                "download it"
            )
        clips = self._clips(root)
        if self.protocol != "35-words":
            clips = _ten_words(clips, with_unknown=self.protocol == "12-classes")
        examples = _sounds.examples(home, clips)
        if self.protocol == "12-classes":
            examples += _silence(home, target, examples)
        card = self.card.model_copy(
            update={"root": str(home), "title": f"{self.card.title} ({self.version})"}
        )
        manifest.write(target, card, examples)

    def _clips(self, root: Path) -> list[Sound]:
        """All clips, by the published lists."""
        from torchaudio.datasets import SPEECHCOMMANDS

        clips = []
        for subset, split in SPLITS.items():
            try:
                listed = SPEECHCOMMANDS(root, f"speech_commands_{self.version}", subset=subset)
            except FileNotFoundError as error:
                raise GatewiseError(
                    f"{error.filename}: missing; the published lists belong beside the words"
                ) from None
            for place in range(len(listed)):
                path, _, label, speaker, _ = listed.get_metadata(place)
                name = Path(path).relative_to(f"speech_commands_{self.version}").as_posix()
                listing = "" if subset == "training" else f"{subset}_list.txt"
                clips.append(Sound(name, label, speaker, split, listing))
        return clips

    def _download(self) -> Path:
        folder = f"speech_commands_{self.version}"
        root = CACHE.parent / "datasets"
        if not (root / "SpeechCommands" / folder).is_dir():
            url = URL.format(version=self.version)
            archive = CACHE / f"{folder}.tar.gz"
            _archive.download(url, archive, SHA256[self.version])
            _archive.unpack(archive, root / "SpeechCommands" / folder)
        return root


def _ten_words(clips: list[Sound], *, with_unknown: bool) -> list[Sound]:
    kept = [clip for clip in clips if clip.label in WORDS]
    if not with_unknown:
        return kept
    for split in SPLITS.values():
        wanted = _share(sum(clip.split == split for clip in kept))
        others = [c for c in clips if c.split == split and c.label not in WORDS]
        # By a hash of the name: a fixed draw that does not follow the alphabet of the words.
        others.sort(key=lambda clip: hashlib.sha256(clip.path.encode()).digest())
        kept += [replace(clip, label=UNKNOWN) for clip in others[:wanted]]
    return kept


def _share(clips: int) -> int:
    return math.ceil(clips * SHARE)


def _silence(home: Path, target: Path, examples: list[Example]) -> list[Example]:
    """Cut one-second pieces of background noise for each split into `target`."""
    import soundfile

    noises = sorted((home / NOISE).glob("*.wav"))
    if not noises:
        raise GatewiseError(
            f"{home / NOISE}: no noise to cut silence from; use the protocol 10-words or 35-words"
        )
    cut = []
    for split, (begin, end) in STRETCHES.items():
        words = sum(e.split == split and e.label in WORDS for e in examples)
        for piece in range(_share(words)):
            noise = noises[piece % len(noises)]
            with soundfile.SoundFile(noise) as file:
                first = math.ceil(begin * file.frames)
                free = int(end * file.frames) - first - SAMPLE_RATE
                if free < 0:
                    raise GatewiseError(f"{noise}: too short to cut a second for {split} from it")
                spot = hashlib.sha256(f"{split}/{piece}".encode()).digest()
                file.seek(first + int.from_bytes(spot[:6]) * (free + 1) // 2**48)
                samples = file.read(SAMPLE_RATE, dtype="int16")
                rate = file.samplerate
            name = f"{SILENCE}/{split}-{piece:05d}.wav"
            (target / SILENCE).mkdir(exist_ok=True)
            soundfile.write(target / name, samples, rate, subtype="PCM_16")
            piece_of = Sound(name, SILENCE, f"{noise.stem}-{split}", split)
            cut.append(_sounds.example(target, piece_of))
    return cut
