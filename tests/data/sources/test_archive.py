import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gatewise.data.sources import _archive
from gatewise.errors import GatewiseError

BODY = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves BODY, cutting the connection after `cut` bytes while `cuts` last."""

    body = BODY
    cuts = 0
    ranges: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(self.server.body):
            self.send_error(416)
            return
        rest = self.server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/a.tar.gz"


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, server: Server) -> None:
    server.cuts = 1
    target = tmp_path / "cache" / "a.tar.gz"
    with pytest.raises(GatewiseError, match=r"stopped after 640,000 bytes .*run again"):
        _archive.download(url(server), target, DIGEST)
    assert not target.exists()
    assert _archive.download(url(server), target, DIGEST).read_bytes() == BODY
    assert server.ranges == [None, "bytes=640000-"]
    _archive.download(url(server), target, DIGEST)
    assert len(server.ranges) == 2


def test_a_part_that_was_whole_already(tmp_path: Path, server: Server) -> None:
    (tmp_path / "a.tar.gz.part").write_bytes(BODY)
    target = _archive.download(url(server), tmp_path / "a.tar.gz", DIGEST)
    assert target.read_bytes() == BODY


def test_other_bytes_are_thrown_away(tmp_path: Path, server: Server) -> None:
    with pytest.raises(GatewiseError, match="expected 0000"):
        _archive.download(url(server), tmp_path / "a.tar.gz", "0" * 64)
    assert not list(tmp_path.iterdir())


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(GatewiseError, match="download stopped after 0 bytes"):
        _archive.download("http://127.0.0.1:9/a.tar.gz", tmp_path / "a.tar.gz", DIGEST)


def tar(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        good = tarfile.TarInfo("yes/a.wav")
        good.size = 3
        archive.addfile(good, io.BytesIO(b"abc"))
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        archive.addfile(member, io.BytesIO(b""))
    return path


def test_unpacking(tmp_path: Path) -> None:
    _archive.unpack(tar(tmp_path / "a.tar.gz", "no/b.wav"), tmp_path / "out")
    assert (tmp_path / "out" / "yes" / "a.wav").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("name", "kind", "link", "message"),
    [
        ("../../x", tarfile.REGTYPE, "", "'../../x' leads outside"),
        ("yes/../../x", tarfile.REGTYPE, "", "leads outside"),
        ("/etc/x", tarfile.REGTYPE, "", "leads outside"),
        ("yes/l", tarfile.SYMTYPE, "/etc/passwd", "is a link"),
        ("yes/l", tarfile.LNKTYPE, "yes/a.wav", "is a link"),
        ("dev", tarfile.CHRTYPE, "", "is a link or a device"),
    ],
)
def test_unsafe_members_are_refused_and_nothing_is_kept(
    tmp_path: Path, name: str, kind: bytes, link: str, message: str
) -> None:
    archive = tar(tmp_path / "a.tar.gz", name, kind, link)
    with pytest.raises(GatewiseError, match=message):
        _archive.unpack(archive, tmp_path / "in" / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["a.tar.gz", "in"] or not list(
        (tmp_path / "in").iterdir()
    )


def test_a_cut_archive_is_named(tmp_path: Path) -> None:
    archive = tar(tmp_path / "a.tar.gz", "no/b.wav")
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(GatewiseError, match="not a usable archive"):
        _archive.unpack(archive, tmp_path / "out")
