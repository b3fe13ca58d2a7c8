import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.hardening import damage
from gatewise.errors import GatewiseError
from gatewise.training import instructions

SOURCES = Path(__file__).parents[2] / "src"
needs_avx2 = pytest.mark.skipif(
    not instructions.is_x86() or bool(instructions.lacking()),
    reason="only x86-64 with AVX2 is held to it",
)


def run(code, **variables):
    """Run Python code in a process that nothing was set up for; what it printed."""
    plain = instructions.environment("native")
    plain = {k: v for k, v in plain.items() if k not in instructions.CHOICES}
    del plain[instructions.MODE]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**plain, "PYTHONPATH": str(SOURCES), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CHECK = """
from gatewise.errors import GatewiseError
from gatewise.training import instructions
try:
    instructions.require({mode!r})
    print("fine")
except GatewiseError as error:
    print(error)
"""


@needs_avx2
def test_importing_gatewise_first_holds_every_library():
    code = "import gatewise, numpy, torch, scipy.linalg, numba" + CHECK.format(mode="portable")
    assert run(code) == "fine"


@needs_avx2
def test_a_library_that_was_quicker_is_named():
    """Played by a NumPy that uses what no processor of this kind lacks."""
    code = (
        "import numpy, gatewise; from gatewise.training import instructions;"
        "instructions.use('portable');"
        "instructions._UP_TO_AVX2 = frozenset()" + CHECK.format(mode="portable")
    )
    said = run(code, OPENBLAS_CORETYPE="Haswell", NPY_DISABLE_CPU_FEATURES="")
    assert "execution.instructions is portable, but NumPy was loaded before and uses X86_V3" in said
    assert "import gatewise before NumPy and torch" in said


@needs_avx2
def test_importing_gatewise_late_changes_nothing_and_training_refuses():
    code = "import numpy, gatewise, os; print(os.environ.get('ATEN_CPU_CAPABILITY'))"
    assert run(code) == "None"
    said = run("import numpy, gatewise" + CHECK.format(mode="portable"))
    assert "this process was set up for native" in said


def test_a_native_process_keeps_what_its_user_set():
    code = "import gatewise, os; print(os.environ.get('OPENBLAS_CORETYPE'))"
    assert run(code, GATEWISE_INSTRUCTIONS="native", OPENBLAS_CORETYPE="Zen") == "Zen"


def test_neither_numpy_nor_torch_is_loaded_to_find_out():
    code = "import gatewise, sys; print({'numpy', 'torch', 'pydantic'} & set(sys.modules))"
    assert run(code) == "set()"


@needs_avx2
def test_modes_follow_each_other_and_leave_nothing_behind():
    before = {"OPENBLAS_CORETYPE": "Zen", "HOME": "/home/me"}
    portable = instructions.environment("portable", before)
    assert portable["OPENBLAS_CORETYPE"] == "Haswell"
    assert portable["MKL_CBWR"] == "COMPATIBLE"
    native = instructions.environment("native", portable)
    assert native == {**before, instructions.MODE: "native"}
    again = instructions.environment("portable", portable)
    assert again == portable


@needs_avx2
def test_a_changed_variable_is_noticed(monkeypatch):
    instructions.require("portable")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "ALL")
    with pytest.raises(GatewiseError, match="ONEDNN_MAX_CPU_ISA was changed"):
        instructions.require("portable")


def test_another_mode_than_the_process_was_set_up_for_is_refused():
    if not instructions.is_x86():
        pytest.skip("only x86-64 has modes")
    with pytest.raises(GatewiseError, match="is native, but this process was set up for portable"):
        instructions.require("native")


def test_a_processor_without_avx2_gets_one_sentence(monkeypatch):
    monkeypatch.setattr(instructions, "is_x86", lambda: True)
    monkeypatch.setattr(instructions, "processor", lambda: {"flags": "sse4_2 avx fma"})
    assert instructions.settings("portable") == {}
    with pytest.raises(GatewiseError, match=r"this processor has no avx2, which .* set it to nat"):
        instructions.require("portable")


def test_elsewhere_portable_is_native_and_said_to_be(monkeypatch):
    monkeypatch.setattr(instructions, "is_x86", lambda: False)
    assert instructions.settings("portable") == {}
    assert instructions.used("portable") == "native"
    assert instructions.identity("portable")["machine"]
    instructions.require("portable")


@needs_avx2
def test_what_a_native_run_hangs_on_is_part_of_its_identity(monkeypatch):
    assert instructions.identity("portable") == {}
    plain = instructions.identity("native")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert instructions.identity("native") != plain


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        ("execution: {instructions: native}", "native"),
        ("execution: {workers: 2}", "portable"),
        ("seeds: 3", "portable"),
        ("execution: {instructions: fast}", "portable"),
        ("{[", "portable"),
    ],
)
def test_what_a_study_asks_for_is_read_without_the_rest(tmp_path, content, mode):
    path = tmp_path / "params.yaml"
    assert instructions.wanted(path) == "portable"
    path.write_text(content)
    assert instructions.wanted(path) == mode


@needs_avx2
def test_numpy_is_asked_once_by_the_names_that_it_has(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    from numpy._core._multiarray_umath import __cpu_dispatch__ as names

    asked = []
    ask = instructions._ask_numpy
    monkeypatch.setattr(instructions, "_ask_numpy", lambda: asked.append(1) or ask())
    for _ in range(2):
        instructions._beyond_avx2.cache_clear()
        assert set(instructions._beyond_avx2()) == set(names) - instructions._UP_TO_AVX2
    instructions._beyond_avx2.cache_clear()
    assert asked == [1]


@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_damaged_study_has_the_default_until_it_is_read_properly(tmp_path, kind):
    path = tmp_path / "params.yaml"
    path.write_text("seeds: 2\n" * 3)
    damage.spoil(path, kind)
    assert instructions.wanted(path) == "portable"
    endless = tmp_path / "long.yaml"
    endless.write_text("execution: {instructions: native}\n" + "#" * 10_000_000)
    assert instructions.wanted(endless) == "portable"
