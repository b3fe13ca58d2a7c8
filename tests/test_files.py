import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise import files


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
