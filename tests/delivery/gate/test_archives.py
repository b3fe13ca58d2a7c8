"""What is handed over as an archive is looked through before anything is written."""

import stat
import zipfile

import pytest

from gatewise.delivery.gate import archives
from gatewise.errors import GatewiseError


def zipped(path, members, compress=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compress) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return path


def link():
    entry = zipfile.ZipInfo("runs/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_what_was_packed_is_laid_out(tmp_path):
    archive = zipped(tmp_path / "x.zip", [("runs/a/run.json", "{}"), ("data/b", b"\0" * 5000)])
    archives.unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/runs/a/run.json").read_text() == "{}"
    assert (tmp_path / "out/data/b").read_bytes() == b"\0" * 5000


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("runs/zeros", b"\0" * (8 << 20))], "bytes that unpack to 8,388,608"),
        ([("../outside", "x")], "leads elsewhere"),
        ([("/etc/x", "x")], "leads elsewhere"),
        ([("a/../../x", "x")], "leads elsewhere"),
        ([(r"..\outside", "x")], "leads elsewhere"),
        ([("C:/x", "x")], "leads elsewhere"),
        ([(link(), "/etc/passwd")], "a link"),
        ([("same", "x"), ("same", "y")], "twice"),
        ([(str(i), "") for i in range(archives.MOST_MEMBERS + 1)], "20,001 files"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_strange_archives_are_refused_before_anything_is_written(tmp_path, members, reason):
    archive = zipped(tmp_path / "x.zip", members)
    with pytest.raises(GatewiseError, match="not unpacked") as info:
        archives.unpack(archive, tmp_path / "out")
    assert reason in str(info.value)
    assert not (tmp_path / "out").exists()


def test_sizes_are_added_up(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_TOTAL", 2500)
    archive = zipped(tmp_path / "x.zip", [(str(i), "y" * 1000) for i in range(3)])
    with pytest.raises(GatewiseError, match="more than 2,500 bytes unpacked"):
        archives.unpack(archive, tmp_path / "out")
    monkeypatch.setattr(archives, "LARGEST_MEMBER", 999)
    with pytest.raises(GatewiseError, match="of 1,000 bytes"):
        archives.unpack(archive, tmp_path / "out")


def test_a_list_of_members_that_lies_is_caught(tmp_path):
    archive = zipped(tmp_path / "x.zip", [("runs/big", b"y" * 5000)], zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    for place in range(len(content) - 4):  # claim 50 bytes wherever 5,000 are claimed unpacked
        if content[place : place + 8] == (5000).to_bytes(4, "little") * 2:
            content[place + 4 : place + 8] = (50).to_bytes(4, "little")
    archive.write_bytes(content)
    with pytest.raises(GatewiseError, match=r"longer than it claims|damaged"):
        archives.unpack(archive, tmp_path / "out")


def test_cut_anywhere_it_is_no_archive(tmp_path):
    whole = zipped(tmp_path / "x.zip", [("runs/a", bytes(range(256)) * 20)]).read_bytes()
    for end in range(0, len(whole), 37):
        (tmp_path / "cut.zip").write_bytes(whole[:end])
        with pytest.raises(GatewiseError, match="not an archive of runs, or damaged"):
            archives.unpack(tmp_path / "cut.zip", tmp_path / "out")
