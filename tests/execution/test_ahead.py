"""What idle cores make before its stage comes."""

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from gatewise.execution import ahead, warm


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # Elsewhere than the checkout, the warm process would not find what it is asked to do.
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ahead.WANTED, "1")
    return tmp_path


@pytest.fixture
def address(folder, monkeypatch):
    """A warm process that belongs to this test process and this folder."""
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    return warm.ensure(os.getpid(), ["json"])


def until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def note(text):
    with Path("made").open("a") as stream:
        stream.write(f"{text}\n")


def fail():
    raise ValueError("on purpose")


def said(name="made"):
    return Path(name).read_text().split() if Path(name).is_file() else []


# What the process is asked to do; found by name, so they stand at module level.
def three_pieces():
    pieces = {"one": lambda: note("one"), "two": fail, "three": lambda: note("three")}
    ahead.carry_out(ahead.Piece(name, make) for name, make in pieces.items())
    Path("over").touch()


def compute_until_told():
    def make():
        note(os.getpid())
        while not Path("enough").exists():
            sum(range(10_000))
        note("made")

    ahead.carry_out([ahead.Piece("long", make)])


def sleep_with_a_child():
    def make():
        child = os.fork()
        if child == 0:
            time.sleep(120)
        note(os.getpid())
        note(child)
        time.sleep(120)

    ahead.carry_out([ahead.Piece("long", make)])


def test_pieces_are_made_in_turn_and_one_that_fails_is_left_to_its_stage(address):
    ahead.begin(three_pieces, address)
    assert until(Path("over").exists)
    assert said() == ["one", "three"]


def test_it_begins_once_a_warm_process_unless_there_is_something_new(address, monkeypatch):
    asked, leave = [], warm.leave
    monkeypatch.setattr(warm, "leave", lambda *to: (asked.append(to), leave(*to)))
    for anew, times in ((False, 1), (False, 1), (True, 2)):
        ahead.begin(three_pieces, address, anew=anew)
        assert len(asked) == times
        assert until(lambda times=times: len(said()) == 2 * times)
        assert until(lambda: ahead._group(ahead.FOLDER) is None)


def test_nothing_begins_unless_it_is_wanted_or_without_a_warm_process(folder, monkeypatch):
    ahead.begin(three_pieces, None)
    ahead.begin(three_pieces, str(folder / "nobody"))
    monkeypatch.delenv(ahead.WANTED)
    ahead.begin(three_pieces, str(folder / "nobody"))
    assert not ahead.FOLDER.exists()


def test_a_second_process_leaves_the_first_alone(address):
    ahead.begin(compute_until_told, address)
    assert until(lambda: len(said()) == 1)
    ahead.begin(three_pieces, address, anew=True)
    assert until(Path("over").exists)
    assert len(said()) == 1
    Path("enough").touch()
    assert until(lambda: said()[1:] == ["made"])


def test_a_stage_waits_for_what_is_being_made(address, monkeypatch):
    monkeypatch.setattr(ahead, "STARVING", 0.0)
    ahead.begin(compute_until_told, address)
    assert until(lambda: len(said()) == 1)
    with ahead.claimed("another"):
        Path("enough").touch()
    with ahead.claimed("long"):
        assert said()[1:] == ["made"]


def test_what_gets_no_core_is_not_waited_for(address, monkeypatch):
    monkeypatch.setattr(ahead, "LOOK_SECONDS", 0.2)
    ahead.begin(sleep_with_a_child, address)
    assert until(lambda: len(said()) == 2)
    with ahead.claimed("long"):
        pass
    assert until(lambda: not any(warm.alive(int(pid)) for pid in said()))


def test_it_stands_still_while_time_is_measured(address):
    ahead.begin(compute_until_told, address)
    assert until(lambda: len(said()) == 1)
    process = psutil.Process(int(said()[0]))
    assert process.nice() >= ahead.NICENESS
    with ahead.quiet():
        assert until(lambda: process.status() == psutil.STATUS_STOPPED)
    assert until(lambda: process.status() != psutil.STATUS_STOPPED)
    Path("enough").touch()


def test_its_processes_end_with_it(address):
    ahead.begin(sleep_with_a_child, address)
    assert until(lambda: len(said()) == 2)
    first, child = (int(pid) for pid in said())
    os.kill(first, signal.SIGKILL)
    assert until(lambda: not warm.alive(child))


def test_a_record_of_another_life_is_nobodys(folder):
    ahead.FOLDER.mkdir(parents=True)
    record = {"group": os.getpid(), "began": 1.0}
    (ahead.FOLDER / "working.json").write_text(json.dumps(record))
    with ahead.quiet(), ahead.claimed("anything"):
        assert psutil.Process().status() != psutil.STATUS_STOPPED
