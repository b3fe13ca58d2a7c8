import json

import pytest

from benchmarks import result, tasks
from benchmarks.__main__ import last
from benchmarks.result import Result, measured, ratios, table


def test_limits_hold_on_their_own_side():
    assert Result("a", 1, "s", checked=1.0, limit=1.1).kept
    assert not Result("a", 1, "s", checked=1.2, limit=1.1).kept
    assert Result("a", 1, "s", checked=2.0, limit=1.8, better="higher").kept
    assert not Result("a", 1, "s", checked=1.7, limit=1.8, better="higher").kept
    assert Result("a", 1, "s", checked=1.7).kept is None


def test_ratios_are_taken_within_rounds():
    # Twice as slow a machine in the second round changes no ratio.
    assert ratios([2, 4, 2], [1, 2, 1]) == 2


def test_the_table_shows_limits_and_the_last_measurement():
    rows = [
        measured("a", [1.0, 2.0, 3.0], "s", what="to b", checked=1.5, limit=1.2).plain(),
        Result("c", 3.0, "ms").plain(),
    ]
    _, _, first, second = table(rows, {"a": 4.0}).splitlines()
    assert first == "| a | 2 (1 to 3) | s | to b | 1.5 | ≤ 1.2 | **no** | 0.50 |"
    assert second == "| c | 3 | ms |  |  |  |  |  |"


def test_a_quick_measurement_is_compared_with_a_quick_one(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.__main__.RESULTS", tmp_path)
    assert last(quick=True) is None
    for name, quick in (("20260101T000000", True), ("20260102T000000", False)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"quick": quick, "time": name}))
    assert last(quick=True)["time"] == "20260101T000000"
    assert last(quick=False)["time"] == "20260102T000000"


@pytest.mark.parametrize("kind", ["clips", "frames", "text"])
def test_the_bare_loop_does_the_same_work(tmp_path, kind):
    from benchmarks import run

    prepared = tasks.write(tmp_path / "task", kind, 200)
    plan = tasks.plan(kind, hidden=4, epochs=2)
    ours, bare = [], []
    run.ours(plan, tmp_path / "task", None)(lambda _, row: ours.append(row["validation_loss"]))
    run.bare(plan, 0, prepared, lambda _, scores: bare.append(scores["loss"]))
    assert ours == bare


def test_a_benchmark_hands_its_results_to_the_suite(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    monkeypatch.setattr("sys.argv", ["benchmark", "--quick", "--json", str(path)])
    result.main(lambda quick: [Result("a", 2.0 if quick else 1.0, "s")], "About.")
    assert [row["value"] for row in json.loads(path.read_text())] == [2.0]
