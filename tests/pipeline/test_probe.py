"""The stage `probe`, and what is probed before it comes."""

import shutil
from pathlib import Path

import pytest

from gatewise.artifacts.plan import ProbePlan
from gatewise.config import ProbeConfig, VariantConfig
from pipeline import probe

FEW = {
    "adding_lengths": (3,),
    "copy_lengths": (),
    "order_lengths": (),
    "counting_lengths": (),
    "digits_lengths": (),
    "updates": 2,
    "batch_size": 2,
    "gradient_length": 6,
    "gradient_reach": 3,
    "seeds": 1,
}
REPORT = Path("reports/probes/gru.json")


@pytest.fixture(autouse=True)
def planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(
        "tasks: {digits: {source: {kind: digits}, features: {kind: frames}}}\n"
        "variants: {gru: {cell: gru, hidden: 2}}\nexecution: {workers: 1}\n"
    )
    config = VariantConfig(cell="gru", hidden=2)
    plan = ProbePlan(variant="gru", config=config, reference=None, probes=ProbeConfig(**FEW))
    plan.write(Path("data/plan/probes/gru.json"))


def test_what_is_probed_ahead_is_what_the_stage_would_make(capsys):
    probe.main(["gru"])
    by_the_stage = REPORT.read_bytes()
    said = capsys.readouterr().out
    assert said.startswith("gru: longest length held: adding problem none of 3")
    shutil.rmtree(".gatewise")
    shutil.rmtree("reports")
    probe._make_ahead("gru")
    assert not REPORT.exists()
    probe.main(["gru"])
    assert REPORT.read_bytes() == by_the_stage
    assert capsys.readouterr().out == f"probe@gru: unchanged: kept from before\n{said}"
