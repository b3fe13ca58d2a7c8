"""Which of a processor's instructions compute, so that processors agree to the last bit.

Libraries look at the processor and take the widest vectors that it has. Wider vectors sum in
another order, so another processor gives other weights. `portable` holds every library that does
so to AVX2 and FMA, which x86-64 processors of the last ten years share, and MKL, whose AVX2 code
is not the same on Intel's processors as on others, to the one path that is; `native` leaves every
library its choice.

Libraries read their environment when they load. So this module loads none of them: it is what
`import gatewise` runs first, and `require` says so where a library was quicker.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, MutableMapping
from importlib import util
from pathlib import Path
from typing import Any, Literal

from gatewise.errors import GatewiseError
from gatewise.files import read_regular

Instructions = Literal["portable", "native"]
MODES: tuple[Instructions, ...] = ("portable", "native")
LARGEST_STUDY = 2**20
"""Bytes of a file that is looked into for its instructions; a longer one is refused later."""
MODE = "GATEWISE_INSTRUCTIONS"
"""Environment variable: what this process and those it starts compute with."""
REPLACED = "GATEWISE_REPLACED"
"""Environment variable: what the variables were that we set, as JSON; null for those unset."""
NUMPY = "NPY_DISABLE_CPU_FEATURES"
FIXED = {
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own kernels, and torch.compile's vectors
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # what torch leaves to oneDNN
    # torch's matrix products, FFTs and logarithms: the one path that MKL promises for all makers,
    # and slow. So what takes time, RNN, LSTM and GRU, does without it.
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",  # in NumPy, and its own copy in SciPy and scikit-learn
    # What numba compiles may use all that the processor has: nothing of ours sums across a vector's
    # lanes, and it fuses no multiply-add that is not written so.
    "NUMBA_DISABLE_INTEL_SVML": "1",  # used wherever it happens to be installed
    "ARROW_USER_SIMD_LEVEL": "AVX2",
}
"""What is the same on every machine; `NUMPY` beside it follows from the NumPy installed."""
CHOICES = (*FIXED, NUMPY, "OPENBLAS_L2_SIZE")
"""Environment variables that change what the libraries choose, whoever sets them."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that say how wide sums are split; more threads, another order."""
LOADED_EARLY = ("numpy", "torch", "numba", "scipy", "pyarrow")
NEEDED = ("avx2", "fma")
# Names that NumPy's versions have for what every processor with AVX2 has.
_UP_TO_AVX2 = frozenset(
    {"SSE", "SSE2", "SSE3", "SSSE3", "SSE41", "SSE42", "POPCNT", "CX16", "LAHF"}
    | {"AVX", "AVX2", "F16C", "FMA3", "BMI", "BMI2", "LZCNT", "MOVBE", "X86_V2", "X86_V3"}
)
_ASK_NUMPY = (
    "import json; from numpy._core._multiarray_umath import __cpu_dispatch__ as names; "
    "print(json.dumps(list(names)))"
)


# --- the processor -------------------------------------------------------------------------


def is_x86() -> bool:
    """Whether this is a 64-bit processor of Intel's and AMD's kind; elsewhere nothing is set."""
    return platform.machine().lower() in ("x86_64", "amd64")


@functools.cache
def processor() -> dict[str, str]:
    """`vendor`, `model` (as `lscpu` names it) and `flags` of the processor, as far as known."""
    known = {"vendor_id": "vendor", "model name": "model", "flags": "flags"}
    found = {"machine": platform.machine()}
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:  # another system than Linux
        return {**found, "model": platform.processor()}
    for line in lines.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in known:
            found[known[name.strip()]] = value.strip()
    return found


def lacking() -> list[str]:
    """What this processor lacks of what `portable` needs; nothing where that is not known."""
    flags = processor().get("flags")
    if not is_x86() or flags is None:
        return []
    return [name for name in NEEDED if name not in flags.split()]


# --- setting -------------------------------------------------------------------------------


def settings(mode: Instructions) -> dict[str, str]:
    """Environment variables that hold the libraries to `mode`; none for `native` or on Arm."""
    if mode == "native" or not is_x86() or lacking():
        return {}
    numpy = _beyond_avx2()
    return {
        **FIXED,
        **({NUMPY: " ".join(numpy)} if numpy else {}),
        # torch.compile takes from its cache what it compiled for other vectors, and gets it wrong.
        "TORCHINDUCTOR_CACHE_DIR": str(_folder() / f"torchinductor-{mode}"),
    }


def environment(mode: Instructions, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """`base` (this process's environment if left out) for a process that computes with `mode`."""
    changed = dict(os.environ if base is None else base)
    _apply(mode, changed)
    return changed


def use(mode: Instructions) -> None:
    """Have this process, and those it starts, compute with `mode`.

    It has to come before anything loads NumPy or torch; `require` tells whether it did.
    """
    _apply(mode, os.environ)


def use_unless_late() -> None:
    """What `import gatewise` does: `portable`, or what the environment names in `MODE`.

    Nothing where a library has loaded already: it is for those who compare to mind that.
    """
    if not any(name in sys.modules for name in LOADED_EARLY):
        use(_named(os.environ.get(MODE)))


def wanted(params: str | Path = "params.yaml") -> Instructions:
    """`execution.instructions` of a study, without checking the rest of it.

    A study that cannot be read has the default; reading it properly says what is wrong.
    """
    import yaml

    try:
        content = yaml.safe_load(read_regular(params, LARGEST_STUDY).decode())
        return _named(content["execution"]["instructions"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError):
        return "portable"


def used(mode: Instructions) -> Instructions:
    """What a run that asks for `mode` computes with on this machine, to be written down.

    `portable` promises nothing but on x86-64: elsewhere a run is native.
    """
    return mode if is_x86() else "native"


def identity(mode: Instructions) -> dict[str, str]:
    """What, beside the mode, decides a run's bits: for `native` all that libraries look at."""
    if used(mode) != "native":
        return {}
    chosen = {name: os.environ[name] for name in CHOICES if name in os.environ}
    return {**processor(), **chosen}


def _apply(mode: Instructions, target: MutableMapping[str, str]) -> None:
    """Set in `target` what `mode` needs, after taking back what another mode had set."""
    for name, value in json.loads(target.pop(REPLACED, "{}")).items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value
    values = settings(mode)
    if values:
        target[REPLACED] = json.dumps({name: target.get(name) for name in values})
        target.update(values)
    target[MODE] = mode


def _named(mode: Any) -> Instructions:
    return next((known for known in MODES if known == mode), "portable")


# --- NumPy ---------------------------------------------------------------------------------


@functools.cache
def _beyond_avx2() -> tuple[str, ...]:
    """What the installed NumPy can use beyond AVX2, by the names that it knows them by.

    NumPy has to be asked (the names change between its versions), but not here: a process of its
    own is, once for each NumPy, and the answer is kept in the user's temporary folder.
    """
    spec = util.find_spec("numpy")
    if spec is None or spec.origin is None:
        return ()
    names: list[str] = []
    with contextlib.suppress(OSError, GatewiseError):  # no folder to keep anything in
        names = _kept_answer(Path(spec.origin))
    return tuple(name for name in names or _ask_numpy() if name not in _UP_TO_AVX2)


def _folder() -> Path:
    """As `gatewise.files.own_folder`, which cannot be imported where nothing is installed."""
    return Path(tempfile.gettempdir(), f"gatewise-{os.getuid()}")


def _ask_numpy() -> list[str]:
    plain = {name: value for name, value in os.environ.items() if name != NUMPY}
    asked = subprocess.run(
        [sys.executable, "-c", _ASK_NUMPY], capture_output=True, text=True, env=plain, check=False
    )
    try:
        return list(json.loads(asked.stdout))
    except ValueError:
        return []  # no such names in it; `require` will notice if that matters


def _kept_answer(numpy: Path) -> list[str]:
    """What `numpy` (its first file) answered, now or before."""
    from gatewise.files import own_folder, write_json

    stamp = f"{numpy} {numpy.stat().st_mtime_ns}"
    path = own_folder() / f"numpy-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.json"
    try:
        return list(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        names = _ask_numpy()
        write_json(path, names)
        return names


# --- checking ------------------------------------------------------------------------------


def require(mode: Instructions) -> None:
    """Refuse to compute in a process that would give other bits than `mode` promises.

    Raises:
        GatewiseError: the processor lacks AVX2 or FMA, or a library loaded before it was held.
    """
    if not is_x86():
        return
    missing = lacking() if mode != "native" else []
    if missing:
        raise GatewiseError(
            f"this processor has no {' and no '.join(missing)}, which execution.instructions: "
            f"{mode} computes with; set it to native, whose results are this machine's own"
        )
    if os.environ.get(MODE, "native") != mode:
        raise GatewiseError(
            f"execution.instructions is {mode}, but this process was set up for "
            f"{os.environ.get(MODE, 'native')}: {_REMEDY.format(mode=mode)}"
        )
    late = departures(mode)
    if late:
        raise GatewiseError(
            f"execution.instructions is {mode}, but {'; '.join(late)}, so this process would "
            f"compute other bits: {_REMEDY.format(mode=mode)}"
        )


_REMEDY = "start Python with " + MODE + "={mode}, and import gatewise before NumPy and torch"


def departures(mode: Instructions) -> list[str]:
    """What loaded libraries really use, where that is not what `mode` says; a clause each."""
    if not is_x86():
        return []
    if mode == "native":
        return list(_held_back())
    changed = [name for name, value in settings(mode).items() if os.environ.get(name) != value]
    return [f"{name} was changed" for name in changed] + list(_beyond())


@functools.cache
def _held_back() -> tuple[str, ...]:
    """Libraries that were loaded while another mode held them to AVX2."""
    found = []
    torch = _torch_uses()
    wide = "avx512f" in processor().get("flags", "").split()
    if torch == "AVX2" and wide and "ATEN_CPU_CAPABILITY" not in os.environ:
        found.append("torch was loaded while it was held to AVX2")
    return tuple(found)


@functools.cache
def _beyond() -> tuple[str, ...]:
    """Libraries that were loaded before anything held them to AVX2.

    Cached, and so found once for all processes that are forked from a warm one: what a library
    uses is settled when it loads. oneDNN and MKL cannot be asked; they read their variables at
    their first call, later than any of these.
    """
    found = []
    torch = _torch_uses()
    if torch is not None and torch != "AVX2":
        found.append(f"torch was loaded before and uses {torch}")
    wide = [name for name in _numpy_uses() if name not in _UP_TO_AVX2]
    if wide:
        found.append(f"NumPy was loaded before and uses {', '.join(wide)}")
    found += [
        f"{Path(path).name} was loaded before and uses {kernel} kernels"
        for path, kernel in _openblas_uses().items()
        if kernel != FIXED["OPENBLAS_CORETYPE"]
    ]
    return tuple(found)


def _torch_uses() -> str | None:
    torch = sys.modules.get("torch")
    return None if torch is None else str(torch.backends.cpu.get_cpu_capability())


def _numpy_uses() -> list[str]:
    core: Any = sys.modules.get("numpy._core._multiarray_umath")
    if core is None:
        return []
    return [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]


def _openblas_uses() -> dict[str, str]:
    """Kernels by library file, of all copies that are loaded."""
    if "numpy" not in sys.modules:
        return {}
    # A dependency of scikit-learn.
    from threadpoolctl import threadpool_info

    return {
        info["filepath"]: str(info.get("architecture"))
        for info in threadpool_info()
        if info["internal_api"] == "openblas"
    }
