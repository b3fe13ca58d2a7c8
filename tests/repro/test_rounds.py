import subprocess
import sys
from pathlib import Path

import pytest

from gatewise import config
from gatewise.errors import GatewiseError
from gatewise.evidence.comparison import more_seeds
from gatewise.repro import dvc, rounds
from tests.evidence_runs import pair, task_comparison, whole_comparison

STUDY = """
tasks: {digits: {source: {kind: digits}, features: {kind: frames}}}
variants: {lstm: {cell: lstm, hidden: 4}, gru: {cell: gru, hidden: 4}}
compare: {primary: [[gru, lstm]]}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def declare(folder, seeds):
    (folder / "params.yaml").write_text(f"seeds: {seeds}\n{STUDY}")


def comparison(seeds, looks, *verdicts):
    pairs = [pair("gru", "lstm", verdict) for verdict in verdicts]
    pairs.append(pair("gru", "rnn", primary=False))
    task = task_comparison({}, *pairs, seeds=range(seeds))
    return whole_comparison({"digits": task}, looks=looks)


def test_looks_end_at_the_cap():
    assert config.Rounds(first=8, step=4, cap=20).looks == [8, 12, 16, 20]
    assert config.Rounds(first=8, step=5, cap=20).looks == [8, 13, 18, 20]
    assert config.Rounds(first=8, step=4, cap=8).looks == [8]


def test_more_seeds_while_a_primary_pair_is_undecided():
    looks = [8, 12, 20]
    assert more_seeds(comparison(8, looks, "gru", "undecided")) == 12
    assert more_seeds(comparison(12, looks, "undecided")) == 20
    assert more_seeds(comparison(20, looks, "undecided")) is None
    assert more_seeds(comparison(8, looks, "gru", "equivalent")) is None
    assert more_seeds(comparison(8, None, "undecided")) is None


def test_auto_starts_at_the_first_look_and_goes_on_where_the_lock_says(folder):
    declare(folder, "auto")
    assert config.load().seed_list == list(range(8))
    rounds.write(12)
    assert config.load().seed_list == list(range(12))
    rounds.write(999)
    assert config.load().seed_list == list(range(32))
    declare(folder, "{first: 5, step: 2, cap: 9}")
    assert config.load().looks == [5, 7, 9]


def test_the_lock_does_not_concern_a_fixed_number_of_seeds(folder):
    declare(folder, 3)
    rounds.write(12)
    assert config.load().seed_list == [0, 1, 2]
    assert config.load().looks is None


def test_a_lock_that_says_nonsense_is_refused(folder):
    declare(folder, "auto")
    (folder / "seeds.lock").write_text("reached: many\n")
    with pytest.raises(GatewiseError, match=r"seeds\.lock: expected `reached"):
        config.load()


def test_a_cap_below_the_first_look_is_refused(folder):
    declare(folder, "{first: 8, cap: 4}")
    with pytest.raises(GatewiseError, match="cap 4 is below first 8"):
        config.load()


@pytest.mark.parametrize(
    ("decided_at", "reproduced"), [(5, [5]), (9, [5, 7, 9]), (None, [5, 7, 9])]
)
def test_rounds_go_on_until_decided_or_capped(folder, decided_at, reproduced):
    declare(folder, "{first: 5, step: 2, cap: 9}")
    seen = []

    def dvc():
        study = config.load()
        seen.append(len(study.seed_list))
        verdict = "gru" if decided_at and seen[-1] >= decided_at else "undecided"
        comparison(seen[-1], study.looks, verdict).write("reports/comparison.json")
        return 0

    assert rounds.reproduce(dvc, say=lambda _: None) == 0
    assert seen == reproduced


def test_a_failing_repro_ends_the_rounds(folder):
    declare(folder, "auto")
    assert rounds.reproduce(lambda: 3) == 3


def test_the_studies_in_the_docs_are_valid(project):
    for path in sorted((project / "docs" / "studies").glob("*.yaml")):
        assert config.load(path).seed_list


def test_stages_find_this_python_although_nothing_was_activated(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = subprocess.run(
        ["sh", "-c", "command -v python"],
        env=dvc.environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    assert Path(found.stdout.strip()) == Path(sys.executable).with_name("python")
