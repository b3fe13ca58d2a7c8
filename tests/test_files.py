import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hardening import damage
from gatewise import files
from gatewise.files import DamagedError, read_json, sha256, write_json


def test_a_file_is_replaced_only_when_the_block_succeeds(tmp_path):
    path = tmp_path / "out" / "x.txt"
    with files.replacing(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(TypeError), files.replacing(path) as temporary:
        temporary.write_text(1)
    assert path.read_text() == "old"
    with files.replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["x.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "folder"
    for name in ("a", "b"):
        with files.replacing(path) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert [p.name for p in path.iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_json_refuses_what_json_cannot_hold(tmp_path):
    path = tmp_path / "x.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(path, {"a": float("nan")})
    assert files.read_json(path) == {"a": 1}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(values, values)
def test_digests_are_equal_exactly_when_data_are(a, b):
    def canonical(value):
        return json.dumps(value, sort_keys=True)

    assert (files.digest(a) == files.digest(b)) == (canonical(a) == canonical(b))


def test_sha256_of_a_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert files.sha256(path).startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize("kind", damage.KINDS)
def test_no_damage_to_json_hangs_or_ends_in_a_traceback(tmp_path, kind):
    path = tmp_path / "value.json"
    write_json(path, {"a": [1, 2, 3]})
    damage.spoil(path, kind, seed=1)
    try:
        found = read_json(path)
    except DamagedError as error:
        said = str(error)
        assert str(path) in said
    except FileNotFoundError:
        assert kind == "a link to nowhere"
    else:
        assert kind in ("another version", "one bit")
        assert found is not None


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "link", "endless", "."):
        for read in (sha256, read_json, files.read_regular):
            with pytest.raises(DamagedError, match=r"not a regular file|a folder where"):
                read(tmp_path / name)
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "good").symlink_to("file")
    assert files.read_regular(tmp_path / "good", 3) == b"abc"
    with pytest.raises(DamagedError, match="longer than 2 bytes"):
        files.read_regular(tmp_path / "good", 2)


@pytest.mark.parametrize("old", ["file", "folder", "nothing"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_anything_can_be_replaced_by_anything(tmp_path, old, new):
    path = tmp_path / "x"
    make = {
        "file": lambda p: p.write_text(p.name),
        "folder": lambda p: ((p / "sub").mkdir(parents=True), (p / "sub" / "f").write_text("")),
        "nothing": lambda p: None,
    }
    make[old](path)
    with files.replacing(path) as temporary:
        make[new](temporary)
    assert path.is_dir() is (new == "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_library_that_stumbles_over_bytes_is_quoted_and_the_system_is_not(tmp_path):
    path = tmp_path / "x"
    path.write_text("")
    for error in (ValueError("bad magic"), OSError("bad footer"), MemoryError("969 GiB")):
        with (
            pytest.raises(DamagedError, match=rf"{error.args[0]}\); do this"),
            files.reading(path, "do this"),
        ):
            raise error
    with pytest.raises(PermissionError), files.reading(path):
        raise PermissionError(13, "no")
