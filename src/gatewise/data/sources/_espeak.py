"""A synthesiser: espeak-ng through ctypes.

The library ships inside the `espeakng-loader` package, so nothing needs installing. Function
and constant names are those of espeak-ng's `speak_lib.h` and `espeak_ng.h`.

It keeps global state that no call resets: what a voice sounds like depends on the voices
spoken before it. `speak_all` therefore gives each timbre a fresh process of its own.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatewise.errors import GatewiseError

ACCENTS = (
    "en",
    "en-us",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-029",
    "en-us-nyc",
    "en-gb-x-gbcwmd",
    "en-gb-x-gbclan",
)
RATE = 22_050  # Hz; what this build of the library speaks at

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Utterance:
    """What to say and how."""

    text: str
    accent: str
    """One of `ACCENTS`."""
    timbre: str
    """One of `timbres()`."""
    rate: int
    """Words per minute, 80 to 450."""
    pitch: int
    """0 to 100; 50 is the voice's own."""
    pitch_range: int
    """0 (monotone) to 100; 50 is the voice's own."""


def timbres() -> list[str]:
    """Names of the voice variants, in the same order everywhere."""
    return sorted(path.name for path in (_data() / "voices" / "!v").iterdir())


def speak_all(batches: list[list[Utterance]], workers: int) -> Iterator[list[np.ndarray]]:
    """Speak each batch in a process of its own; results in order, int16 at `RATE`."""
    # fork costs nothing; where there is none, spawn gives the same bytes more slowly.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(workers, maxtasksperchild=1) as pool:
        yield from pool.imap(_speak_batch, batches)
        # To leave is to terminate, which waits forever for a process that is just being started in
        # the place of one that has spoken; so all end by themselves before.
        pool.close()
        pool.join()


def _speak_batch(batch: list[Utterance]) -> list[np.ndarray]:
    synthesiser = _Synthesiser()
    return [synthesiser.speak(utterance) for utterance in batch]


def _data() -> Path:
    import espeakng_loader

    return Path(espeakng_loader.get_data_path())


class _Synthesiser:
    def __init__(self) -> None:
        import espeakng_loader

        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self._libc = ctypes.CDLL(None)
        rate = self._lib.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(_data().parent).encode(), 0
        )
        if rate != RATE:
            raise GatewiseError(
                f"espeak-ng does not start from {_data()}; reinstall the espeakng-loader package"
            )
        self._chunks: list[np.ndarray] = []
        self._callback = _Callback(self._receive)  # kept here, because ctypes does not keep it
        self._lib.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def speak(self, utterance: Utterance) -> np.ndarray:
        voice = f"{utterance.accent}+{utterance.timbre}"
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise GatewiseError(f"espeak-ng knows no voice {voice!r}")
        self._lib.espeak_SetParameter(_RATE, utterance.rate, 0)
        self._lib.espeak_SetParameter(_PITCH, utterance.pitch, 0)
        self._lib.espeak_SetParameter(_RANGE, utterance.pitch_range, 0)
        # The library seeds its noise from the clock when it starts; breathy voices use libc's.
        self._lib.espeak_ng_SetRandSeed(1)
        self._libc.srand(1)
        self._chunks.clear()
        text = utterance.text.encode() + b"\0"
        self._lib.espeak_Synth(text, len(text), 0, 0, 0, _CHARS_UTF8, None, None)
        self._lib.espeak_Synchronize()
        return np.concatenate([np.zeros(0, np.int16), *self._chunks])
