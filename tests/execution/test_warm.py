import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from gatewise.errors import GatewiseError
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


def test_who_is_left_goes_on_without_us_but_not_without_the_owner(tmp_path):
    owner = owned_by(
        f"""
        import os, subprocess, sys, time
        from gatewise.execution import warm
        address = warm.ensure(os.getpid(), [])
        leave = "import sys; from tests.execution.test_warm import *;"
        leave += "warm.leave(sys.argv[1], record_pid_and_sleep, sys.argv[2:])"
        where = {str(tmp_path / "pid")!r}
        subprocess.run([sys.executable, "-c", leave, address, where], check=True)
        print("left", flush=True)
        time.sleep(60)
        """
    )
    assert owner.stdout.readline().strip() == "left"
    assert until((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    time.sleep(0.3)
    assert warm.alive(pid)
    owner.kill()
    owner.wait()
    assert until(lambda: not warm.alive(pid))


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


SOURCES = [Path(__file__).parents[2] / "src", Path(__file__).parents[2]]


def owned_by(script, *more):
    """A process that owns a warm one, with the pipe that its output comes through."""
    clean = {k: v for k, v in os.environ.items() if k != warm.ADDRESS}
    clean |= {"PYTHONPATH": os.pathsep.join(map(str, (*SOURCES, *more)))}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=clean,
        stdout=subprocess.PIPE,
        text=True,
    )


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def processes(address):
    """The warm processes at `address`: it is their second environment, by which we know them."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            ours = len(words) > 2 and words[2] == "gatewise.execution.warm"
            if ours and process.environ().get(warm.ADDRESS) == address:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_it_ends_with_its_owner_even_while_it_imports(tmp_path):
    (tmp_path / "endless.py").write_text("import time\nwhile True: time.sleep(0.01)\n")
    owner = owned_by(
        """
        import os, time
        from gatewise.execution import warm
        print(warm.ensure(os.getpid(), ["endless"]), flush=True)
        time.sleep(60)
        """,
        tmp_path,
    )
    address = owner.stdout.readline().strip()
    assert until(lambda: processes(address))
    owner.kill()
    owner.wait()
    assert until(lambda: not processes(address))
    assert not os.path.exists(address)


def test_children_end_with_a_killed_warm_process_and_it_is_said_in_words(address, tmp_path):
    where = tmp_path / "pid"
    child = warm.fork(address, record_pid_and_sleep, [str(where)])
    assert until(where.exists)
    # Forked children have its command line.
    found = processes(address)
    (process,) = [one for one in found if one.ppid() not in {other.pid for other in found}]
    process.kill()
    assert child.wait() == -signal.SIGKILL
    assert until(lambda: not warm.alive(int(where.read_text())))
    with pytest.raises(GatewiseError, match="was it killed"):
        warm.fork(address, write, ["hello"])
    # Who asks for it next gets another, at the same address.
    again = warm.ensure(os.getpid(), ["json"])
    assert again == address
    fresh, receiver = ask(again, write, "hello")
    assert (answer(receiver), fresh.wait()) == ("hello", 0)


def test_sockets_that_nobody_listens_on_are_swept(tmp_path):
    folder = Path(tempfile.mkdtemp())  # pytest's own are too long for a socket
    try:
        dead, live, other = folder / "dead", folder / "live", folder / "other"
        other.write_text("not a socket")
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(dead))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(live))
        listener.listen()
        for path in (dead, live):
            os.utime(path, (time.time() - 3600,) * 2)
        warm.sweep_all(folder)
        assert sorted(path.name for path in folder.iterdir()) == ["live", "other"]
        listener.close()
    finally:
        shutil.rmtree(folder)


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
