"""One warm process that others are forked from, so that heavy imports are paid once.

Importing PyTorch Lightning and MLflow takes tens of seconds on a small machine; forking a
process that has them takes hundredths. `serve` is that process: it imports, then forks a child
for each request and reports how the child ended. It belongs to one owner (a `dvc repro`, a
retraining, or a stage run by hand) and ends with it, so it can never serve stale code.

Unlike `multiprocessing`'s fork server it can be shared by all the stages of one `dvc repro`,
and a child can take over its client's terminal.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import io
import os
import pickle
import selectors
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from gatewise.errors import GatewiseError
from gatewise.files import own_folder
from gatewise.training import instructions

ADDRESS = "GATEWISE_WARM"
OWNER = "GATEWISE_OWNER"
"""Environment variable: process id of whoever runs several `dvc repro` that share one process."""
_MAX_FDS = 8
_STAYS = 1 << 63
"""Set in a request's length: its child does not end with whoever asked for it."""
_PR_SET_PDEATHSIG = 1
_FRESH_SECONDS = 0.2
"""Between a socket's being bound and being listened on there are microseconds."""


class Child:
    """A process forked by the warm one on our behalf; it dies when we do."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Exit status; negative is the signal that ended it, as in `subprocess`.

        Raises:
            TimeoutError: it is still running after `timeout` seconds.
        """
        if self._status is None:
            self._connection.settimeout(timeout)
            try:
                answer = self._connection.recv(16)
            except ConnectionResetError:
                answer = b""
            # No answer: the warm process itself was killed, and its children with it.
            self._status = int(answer) if answer else -signal.SIGKILL
            self._connection.close()
        return self._status

    def send_signal(self, number: int) -> None:
        """Send a signal to the process."""
        with contextlib.suppress(OSError):
            self._connection.sendall(bytes([number]))

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)


def fork(
    address: str, function: Callable[..., Any], arguments: Sequence[Any], fds: Sequence[int] = ()
) -> Child:
    """Call `function(*arguments, *fds)` in a child of the warm process at `address`.

    `function` and `arguments` travel as pickles, so the function is named, not sent. The child
    gets our working directory, environment, standard streams and duplicates of `fds`.
    """
    return Child(_ask(address, function, arguments, [0, 1, 2, *fds]))


def leave(address: str, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    """Call `function(*arguments)` in a child that goes on without us, until the owner is gone.

    It is silent: a pipe that it held open would keep whoever reads it waiting.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        _ask(address, function, arguments, [nowhere] * 3, _STAYS).close()
    finally:
        os.close(nowhere)


def _ask(
    address: str,
    function: Callable[..., Any],
    arguments: Sequence[Any],
    fds: Sequence[int],
    flags: int = 0,
) -> socket.socket:
    """Send a request to the warm process; the connection that its child's life hangs on."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(address)
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        raise GatewiseError(
            "the process that this study's stages are forked from has ended (was it killed, as the "
            "system does when memory runs out?); what was finished is kept, run it again"
        ) from None
    request = pickle.dumps(
        (
            function.__module__,
            function.__qualname__,
            pickle.dumps(arguments),
            str(Path.cwd()),
            dict(os.environ),
        )
    )
    # Where it is killed before it has read this, `wait` says so.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        socket.send_fds(connection, [(len(request) | flags).to_bytes(8, "big")], fds)
        connection.sendall(request)
    return connection


def ensure(owner: int, modules: Sequence[str], threads: int = 1) -> str:
    """Address of the warm process of `owner` (a process id), started if there is none.

    Returns at once: the imports go on in the background, and the first `fork` waits for them.
    """
    inherited = os.environ.get(ADDRESS)
    if inherited:
        return inherited
    address = _address(owner, modules)
    if sweep(Path(address)):
        sweep_all(Path(address).parent)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(address)
        except FileExistsError:
            return address
        except OSError as error:
            if Path(address).exists():  # a stage beside us was quicker
                return address
            raise GatewiseError(f"{address}: cannot open a socket there: {error}") from None
        listener.listen(64)
        # Read once, when the libraries load; and a process with a second thread cannot fork safely.
        widths = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        environment = {**os.environ, **widths, "OPENBLAS_NUM_THREADS": "1", ADDRESS: address}
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gatewise.execution.warm",
                str(listener.fileno()),
                str(owner),
                *modules,
            ],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            # Whoever reads what the stages say would wait for the end of this process, too.
            stdout=subprocess.DEVNULL,
            # A session of its own: Ctrl-C is for the owner, which decides what it means.
            start_new_session=True,
            env=environment,
        )
        listener.close()
    return address


def sweep(address: Path) -> bool:
    """Remove the socket at `address` if nobody listens there; whether nothing is left there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(address))
        except FileNotFoundError:
            return True
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                # Bound but not listening yet: that of a stage beside us.
                if time.time() - address.lstat().st_mtime < _FRESH_SECONDS:
                    time.sleep(_FRESH_SECONDS)
                    return sweep(address)
                address.unlink()
            return not address.exists()
        except OSError:  # somebody is there, and busy
            return False
    return False


def sweep_all(folder: Path) -> None:
    """Remove the sockets that killed processes left in `folder`."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISSOCK(status.st_mode) and time.time() - status.st_mtime > 60:
                sweep(path)


def _address(owner: int, modules: Sequence[str]) -> str:
    """A socket path that names the owner's life and how its children compute."""
    import psutil

    began = psutil.Process(owner).create_time()
    # What the libraries were held to when they loaded holds for every child.
    held = os.environ.get(instructions.MODE)
    identity = repr((owner, began, Path.cwd(), held, *modules))
    return str(own_folder() / hashlib.sha256(identity.encode()).hexdigest()[:16])


# --- the warm process ----------------------------------------------------------------------


def serve(listener: socket.socket, owner: int, modules: Sequence[str]) -> None:
    """Import `modules`, then fork children on request until the owner is gone."""
    try:
        with _ending_with(owner, Path(listener.getsockname())):
            for name in modules:
                importlib.import_module(name)
    except BaseException as error:
        # Whoever waits is to hear of it, not to wait; a later stage starts another.
        Path(listener.getsockname()).unlink(missing_ok=True)
        if isinstance(error, Exception) and _abandoned(owner):
            return
        raise
    server = _Server(listener, owner)
    try:
        server.run()
    finally:
        server.close()


def _abandoned(owner: int) -> bool:
    """Whether nobody is left to serve.

    `dvc exp run --temp` removes the folder of a finished run, and with it what we still import.
    """
    try:
        return not (alive(owner) and Path.cwd().is_dir())
    except FileNotFoundError:
        return True


@contextlib.contextmanager
def _ending_with(owner: int, address: Path) -> Iterator[None]:
    """End as soon as the owner is gone: imports take half a minute, and another may follow it.

    By a timer: a thread would keep this process from being forked safely.
    """

    def look(*_: object) -> None:
        if not alive(owner):
            address.unlink(missing_ok=True)
            os._exit(0)

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Server:
    def __init__(self, listener: socket.socket, owner: int) -> None:
        self.listener = listener
        self.owner = owner
        self.children: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self._accept)
        # SIGCHLD wakes the selector, so a child's end is reported at once.
        waker, wakes = socket.socketpair()
        waker.setblocking(False)
        wakes.setblocking(False)
        self.waker = (waker, wakes)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self.selector.register(wakes, selectors.EVENT_READ, self._drain)

    def run(self) -> None:
        # A child must not outlive the owner: the next one may already be writing the same files.
        while alive(self.owner):
            for key, _ in self.selector.select(timeout=1.0):
                key.data(key.fileobj)
            self._reap()

    def close(self) -> None:
        Path(self.listener.getsockname()).unlink(missing_ok=True)
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)

    def _drain(self, wakes: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while wakes.recv(4096):
                pass

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        header, fds, _, _ = socket.recv_fds(connection, 8, _MAX_FDS)
        if not header:
            connection.close()
            return
        length = int.from_bytes(header, "big")
        request = _receive(connection, length & ~_STAYS)
        pid = os.fork()
        if pid == 0:
            self._become(connection, request, fds)
        for fd in fds:
            os.close(fd)
        self.children[pid] = connection
        if length & _STAYS:
            return
        self.selector.register(connection, selectors.EVENT_READ, lambda c: self._hear(c, pid))

    def _hear(self, connection: socket.socket, pid: int) -> None:
        """The client sent a signal, or is gone and wants nothing any more."""
        try:
            numbers = connection.recv(64)
        except OSError:
            numbers = b""
        if not numbers:
            self.selector.unregister(connection)
            numbers = bytes([signal.SIGKILL])
        for number in numbers:
            if pid in self.children:
                os.kill(pid, number)

    def _reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self.children.pop(pid)
            with contextlib.suppress(KeyError):
                self.selector.unregister(connection)
            with contextlib.suppress(OSError):
                connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()

    def _become(self, connection: socket.socket, request: bytes, fds: list[int]) -> NoReturn:
        """In the child: leave the server behind and do what was asked."""
        status = 1
        try:
            die_with_parent()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for other in (self.listener, connection, *self.waker, *self.children.values()):
                other.close()
            self.selector.close()
            module, name, arguments, folder, environment = pickle.loads(request)  # noqa: S301
            for target, fd in enumerate(fds[:3]):
                os.dup2(fd, target)
                os.close(fd)
            _reopen_streams()
            os.chdir(folder)
            warm = os.environ[ADDRESS]
            os.environ.clear()
            os.environ.update(environment)
            os.environ[ADDRESS] = warm
            function = getattr(importlib.import_module(module), name)
            function(*pickle.loads(arguments), *fds[3:])  # noqa: S301
            status = 0
        except SystemExit as error:
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            # Not sys.exit: the server's own exit handlers are not the child's business.
            os._exit(status)


def _receive(connection: socket.socket, length: int) -> bytes:
    parts = io.BytesIO()
    while (missing := length - parts.tell()) > 0:
        part = connection.recv(min(missing, 1 << 16))
        if not part:
            break
        parts.write(part)
    return parts.getvalue()


def _reopen_streams() -> None:
    """Streams that buffer as the new descriptors deserve (a terminal by lines)."""
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be noticed does not."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends, however it ends (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    from gatewise.execution.warm import (
        serve as imported,  # pickles must find this module by its real name
    )

    imported(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3:])
