import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gatewise.execution import warm


@pytest.fixture
def address(monkeypatch):
    """A warm process that belongs to this test process."""
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    return warm.ensure(os.getpid(), ["json"])


def answer(fd):
    with os.fdopen(fd) as stream:
        return stream.read()


def ask(address, function, *arguments):
    """Call `function` with a pipe and give its child and what it wrote."""
    receiver, sender = os.pipe()
    child = warm.fork(address, function, arguments, [sender])
    os.close(sender)
    return child, receiver


# What children are asked to do; found by name, so they stand at module level.
def write(text, fd):
    os.write(fd, text.encode())


def write_surroundings(fd):
    os.write(fd, f"{os.getcwd()}|{os.environ.get('COLOUR')}|{'json' in sys.modules}".encode())


def sleep(fd):
    os.write(fd, b"sleeping")
    time.sleep(60)


def leave(status, fd):
    sys.exit(status)


def fail(fd):
    raise ValueError("on purpose")


def test_a_child_gets_arguments_folder_environment_and_imports(address, tmp_path, monkeypatch):
    child, receiver = ask(address, write, "hello")
    assert (answer(receiver), child.wait()) == ("hello", 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLOUR", "blue")
    child, receiver = ask(address, write_surroundings)
    assert (answer(receiver), child.wait()) == (f"{tmp_path}|blue|True", 0)


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (3, 3), (None, 0), ("error: x", 1)])
def test_exit_statuses_come_back(address, status, expected):
    child, receiver = ask(address, leave, status)
    answer(receiver)
    assert child.wait() == expected


def test_an_exception_is_status_one(address):
    child, receiver = ask(address, fail)
    answer(receiver)
    assert child.wait() == 1


def test_children_can_be_signalled_and_do_not_disturb_each_other(address):
    first, first_pipe = ask(address, sleep)
    second, second_pipe = ask(address, sleep)
    assert os.read(first_pipe, 8) == os.read(second_pipe, 8) == b"sleeping"
    first.send_signal(signal.SIGTERM)
    assert first.wait() == -signal.SIGTERM
    second.kill()
    assert second.wait() == -signal.SIGKILL
    third, pipe = ask(address, write, "still here")
    assert (answer(pipe), third.wait()) == ("still here", 0)


def test_everything_ends_with_its_owner(tmp_path):
    script = textwrap.dedent(
        """
        import os, time
        from gatewise.execution import warm
        from tests.execution import test_warm
        address = warm.ensure(os.getpid(), [])
        child = warm.fork(address, test_warm.record_pid_and_sleep, [os.environ["WHERE"]])
        while not os.path.exists(os.environ["WHERE"]):
            time.sleep(0.01)
        print(address)
        """
    )
    where = tmp_path / "pid"
    environment = {k: v for k, v in os.environ.items() if k != warm.ADDRESS}
    # Not our own sys.path: loading a model that carries its code puts a folder in front of it.
    environment |= {"WHERE": str(where), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    address, pid = done.stdout.strip(), int(where.read_text())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (os.path.exists(address) or warm.alive(pid)):
        time.sleep(0.05)
    assert not os.path.exists(address)
    assert not warm.alive(pid)


def record_pid_and_sleep(where):
    with open(where + ".new", "w") as stream:
        stream.write(str(os.getpid()))
    os.rename(where + ".new", where)
    time.sleep(60)


def test_a_folder_that_is_gone_ends_it_without_a_word(tmp_path, monkeypatch):
    """`dvc exp run --temp` removes the workspace while the imports still go on."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "socket"))
    with pytest.raises(ModuleNotFoundError):
        warm.serve(listener, os.getpid(), ["no_such_module"])
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    monkeypatch.chdir(workspace)
    workspace.rmdir()
    warm.serve(listener, os.getpid(), ["no_such_module"])
    assert not (tmp_path / "socket").exists()
    listener.close()
