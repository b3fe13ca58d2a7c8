"""The stage `plan` refuses what sources cannot give, of all tasks at once."""

from pathlib import Path

import pytest
import yaml

from gatewise.errors import GatewiseError
from pipeline import plan
from tests import sounds


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three tasks, two of which no source can give."""
    monkeypatch.chdir(tmp_path)
    sounds.folder(tmp_path / "good", groups=1)
    for name in ("ann/up", "ann/go", "bob/up"):
        (tmp_path / "nested" / name).mkdir(parents=True)
        (tmp_path / "nested" / name / "x.wav").write_bytes(sounds.wav(1))
    (tmp_path / "texts.csv").write_text("question,intent\nx,a\n")
    log_mel, tokens = {"kind": "log-mel"}, {"kind": "tokens"}
    folders = {name: {"kind": "audio-folder", "path": name} for name in ("good", "nested")}
    study = {
        "tasks": {
            "good": {"source": folders["good"], "features": log_mel},
            "nested": {"source": folders["nested"], "features": log_mel},
            "texts": {"source": {"kind": "text-file", "path": "texts.csv"}, "features": tokens},
            "gone": {"source": {"kind": "audio-folder", "path": "gone"}, "features": log_mel},
        },
        "variants": {"gru": {"cell": "gru", "hidden": 4}},
        "seeds": 1,
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(study))
    return tmp_path


def test_all_refusals_come_at_once(project: Path) -> None:
    with pytest.raises(GatewiseError) as refused:
        plan.main([])
    said = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in said] == ["tasks.nested", "tasks.texts"]
    assert "can be read in two ways" in said[0]
    assert "no column 'text'" in said[1]
    assert not (project / "data" / "plan").exists()


def test_what_was_fetched_already_is_only_warned_of(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for task in ("nested", "texts"):
        (project / "data" / "raw" / task).mkdir(parents=True)
    plan.main([])
    assert "warning: tasks.texts: texts.csv: no column 'text'" in capsys.readouterr().err
    assert (project / "data" / "plan").is_dir()
