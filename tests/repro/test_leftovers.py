import fcntl
import os
import subprocess
import sys
import time

import psutil
import pytest

from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.files import DamagedError, read_json, write_json
from gatewise.repro import leftovers


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / ".gatewise").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_a_killed_retraining_left_running_is_ended(here):
    left = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        write_json(leftovers.RECORD, {"group": left.pid, "began": time.time(), "by": 1})
        assert leftovers.end()
        assert left.wait(10) == -9
        assert other.poll() is None
        assert not leftovers.end()
    finally:
        other.kill()
        left.kill()
        other.wait()


WHOLE = """\
schema: '2.0'
stages:
  plan:
    cmd: python -m pipeline.plan
    deps:
    - path: params.yaml
      hash: md5
      md5: 6fdb93ec44fc32be0216476b170eef81
      size: 750
"""


@pytest.mark.parametrize("left", ["", WHOLE[:150], WHOLE[:-60], "stages:\n  plan: [", WHOLE])
def test_what_a_killed_dvc_wrote_half_is_put_back(here, left):
    before = WHOLE.replace("plan", "before")
    (here / "dvc.lock").write_text(before)
    leftovers.write_down(2**22 + 1)
    (here / "dvc.lock").write_text(left)
    (here / ".dvc/tmp").mkdir(parents=True)
    (here / ".dvc/tmp/rwlock").write_text("")
    leftovers.end()
    leftovers.mend_rwlock()
    assert (here / "dvc.lock").read_text() == (WHOLE if left == WHOLE else before)
    assert not (here / ".dvc/tmp/rwlock").exists()
    # Without a killed retraining a broken lock is somebody's to look at, not ours to replace.
    (here / "dvc.lock").write_text("<<<<<<< HEAD")
    leftovers.end()
    assert (here / "dvc.lock").read_text() == "<<<<<<< HEAD"


def test_what_ended_processes_held_is_free_even_before_they_are_reaped(here):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        while warm.alive(ended.pid):
            time.sleep(0.01)
        assert psutil.pid_exists(ended.pid)  # which is all that DVC asks
        gone, here = ({"pid": pid, "cmd": "dvc repro"} for pid in (ended.pid, os.getpid()))
        write_json(
            leftovers.RWLOCK,
            {"data/plan": {"write": gone}, "runs": {"read": [gone, here]}, "raw": {"write": here}},
        )
        leftovers.mend_rwlock()
    assert read_json(leftovers.RWLOCK) == {"runs": {"read": [here]}, "raw": {"write": here}}


def test_pipes_and_devices_among_outputs_are_named_before_dvc_waits_on_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "toy").mkdir(parents=True)
    (tmp_path / "runs" / "toy" / "run.json").write_text("{}")
    (tmp_path / "runs" / "toy" / "nowhere").symlink_to("gone")
    leftovers.require_regular()
    (tmp_path / "runs" / "toy" / "endless").symlink_to("/dev/zero")
    with pytest.raises(DamagedError, match="runs/toy/endless: not a regular file"):
        leftovers.require_regular()
    (tmp_path / "runs" / "toy" / "endless").unlink()
    os.mkfifo(tmp_path / "runs" / "pipe")
    with pytest.raises(DamagedError, match="runs/pipe: not a regular file"):
        leftovers.require_regular()
    (tmp_path / "runs" / "pipe").unlink()
    for name in ("dvc.lock", "params.yaml", str(leftovers.RWLOCK)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        with pytest.raises(DamagedError, match=f"{name}: not a regular file"):
            leftovers.require_regular()
        path.unlink()
        path.mkdir()
        with pytest.raises(DamagedError, match=f"{name}: a folder where a file should be"):
            leftovers.require_regular()
        path.rmdir()


def test_a_dvc_at_work_is_known_by_what_it_uses_and_by_its_lock(here):
    leftovers.require_idle()
    (here / ".dvc/tmp").mkdir(parents=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_json(leftovers.RWLOCK, {"runs": {"write": {"pid": ended.pid, "cmd": "dvc repro"}}})
    leftovers.DVC_LOCK.touch()
    leftovers.require_idle()
    users = {"read": [{"pid": os.getpid(), "cmd": "dvc repro"}]}
    write_json(leftovers.RWLOCK, {"runs": users})
    with pytest.raises(GatewiseError, match=f"DVC is at work here .process {os.getpid()}.; wait"):
        leftovers.require_idle()
    leftovers.RWLOCK.unlink()
    with leftovers.DVC_LOCK.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(GatewiseError, match="another process holds its lock"):
            leftovers.require_idle()
    leftovers.require_idle()
