"""Real servers for tests: PostgreSQL, an S3 endpoint, `mlflow server`. Each is its own process."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_programs() -> Path | None:
    """Folder with `initdb` and `postgres`: Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).parent if program else None


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if not os.getuid()
        else []
    )


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own, gone afterwards; gives the address of an empty database."""
    programs = postgres_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="gatewise-pg-"))
    port = free_port()
    try:
        if not os.getuid():
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = str(folder / "data")
        run = _as_postgres()
        subprocess.run(
            [*run, programs / "initdb", "-D", data, "-U", "gatewise", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *run,
                    programs / "postgres",
                    *("-D", data, "-k", str(folder), "-p", str(port)),
                    *("-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"),
                ],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        try:
            uri = f"postgresql://gatewise@127.0.0.1:{port}/postgres"
            _wait(lambda: _accepts(uri), server, folder / "log")
            yield uri
        finally:
            server.send_signal(2)  # a fast shutdown
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def s3(bucket: str) -> Iterator[dict[str, str]]:
    """An S3 endpoint (moto) with an empty bucket; gives the environment that leads to it."""
    port = free_port()
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        endpoint = environment["MLFLOW_S3_ENDPOINT_URL"]
        _wait(lambda: _answers(endpoint), server)
        objects(environment).create_bucket(Bucket=bucket)
        yield environment
    finally:
        server.kill()
        server.wait()


def objects(environment: dict[str, str]):
    """A client of the S3 endpoint."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["MLFLOW_S3_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )


class MlflowServer:
    """`mlflow server`, which can be killed and started again on the same port."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.arguments = arguments
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")},
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            **self.environment,
        }
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1", *self.arguments]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )
        _wait(lambda: _answers(f"{self.uri}/health"), self.process, self.folder / "server.log")

    def kill(self) -> None:
        """End it as a power cut would, workers and all."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).status_code < 500
    except requests.RequestException:
        return False


def _accepts(uri: str) -> bool:
    import psycopg

    try:
        psycopg.connect(uri).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait(ready, process, log: Path | None = None, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            text = log.read_text(errors="replace")[-3000:] if log else ""
            raise RuntimeError(f"{process.args} did not come up: {text}")
        time.sleep(0.2)
