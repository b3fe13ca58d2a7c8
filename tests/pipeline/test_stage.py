import errno
import os
import shutil
import subprocess
import sys

import psutil
import pytest

import pipeline
from gatewise.errors import GatewiseError
from gatewise.execution import warm


@pytest.fixture(autouse=True)
def by_hand(monkeypatch):
    """As if the stage were run by hand, whatever runs the tests."""
    monkeypatch.setattr(pipeline, "_address", lambda: None)
    monkeypatch.setattr(sys, "argv", ["stage", "digits"])


def raising(error):
    def main(arguments):
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (GatewiseError("params.yaml: seeds: empty"), "error: params.yaml: seeds: empty", ""),
        (OSError(errno.ENOSPC, "No space", "runs/x"), "error: runs/x: the disk is full", ""),
        (PermissionError(errno.EACCES, "no", "runs/x"), "error: runs/x: no permission", ""),
        (KeyboardInterrupt(), 130, "what was finished is kept"),
    ],
)
def test_what_users_can_mend_is_one_sentence(error, status, expected, capsys):
    with pytest.raises(SystemExit) as left:
        pipeline.run(raising(error))
    if isinstance(status, str):
        assert str(left.value.code).startswith(status)
    else:
        assert left.value.code == status
    assert expected in capsys.readouterr().err


def test_bugs_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        pipeline.run(raising(ZeroDivisionError()))
    with pytest.raises(BrokenPipeError):
        pipeline.run(raising(BrokenPipeError(errno.EPIPE, "no")))


def test_a_stage_gets_its_arguments():
    seen = []
    pipeline.run(seen.append)
    assert seen == [["digits"]]


def test_an_ancestor_that_is_not_to_be_seen_is_no_dvc(monkeypatch):
    def refuse(self):
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "cmdline", refuse)
    assert pipeline._dvc() is None


def test_a_stage_refuses_a_broken_study_in_one_line(tmp_path, project):
    (tmp_path / "params.yaml").write_text("tasks: {}\nvariants: {}\ntrian: 1\n")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(project / "src"), str(project)]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.plan"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: params.yaml: unknown key 'trian'; did you mean train")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_plan_refuses_a_cell_that_does_not_exist_before_any_data_are_fetched(
    tmp_path, project, monkeypatch
):
    from gatewise.errors import GatewiseError
    from pipeline import plan

    study = (project / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(study.replace("{cell: lstm, ", "{cell: lsmt, "))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GatewiseError, match=r"params.yaml: variants.lstm: unknown cell 'lsmt'"):
        plan.main([])
    assert not (tmp_path / "data").exists()


def test_a_stage_is_handed_over_before_its_file_is_imported(project, tmp_path, monkeypatch):
    """What DVC starts imports nothing but `pipeline` itself; its child does the work."""
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    shutil.copy(project / "params.yaml", tmp_path)
    address = warm.ensure(os.getpid(), ["json"])
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline.prepare", "nothing"],
        cwd=tmp_path,
        env={**os.environ, warm.ADDRESS: address, "PYTHONPATH": str(project)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "error: data/plan/nothing/sequences.json: missing" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "gatewise.execution.warm" in imported
    assert not imported & {"gatewise.config", "numpy", "pydantic"}
