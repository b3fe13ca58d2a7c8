"""What every source promises; a new one gets it for free."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from gatewise.artifacts.manifest import SourceCard
from gatewise.config import SourceOptions, TaskConfig, source_class, source_kinds
from gatewise.data import sources


@pytest.mark.parametrize("kind", source_kinds())
def test_a_source_says_what_it_is(kind: str) -> None:
    source = source_class(kind)
    assert issubclass(source, SourceOptions)
    assert get_args(source.model_fields["kind"].annotation) == (kind,)
    assert source.__doc__
    card = source.card  # type: ignore[attr-defined]
    assert isinstance(card, SourceCard)
    assert card.title
    assert card.licence
    for words in (source.size, source.needs):  # type: ignore[attr-defined]
        assert isinstance(words, str)
        assert words


@pytest.fixture
def example(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The source that docs/sources.md shows, in a package of another distribution."""
    text = (project / "docs" / "sources.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "parity.py").write_text(code)
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gatewise.sources]\nmine = my_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield "parity"
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_package"]:
        del sys.modules[name]


def test_a_source_of_another_distribution_is_one_file(example: str, tmp_path: Path) -> None:
    assert example in source_kinds()
    settings = {"source": {"kind": example, "examples": 60}, "features": {"kind": "tokens"}}
    task = TaskConfig.model_validate(settings)
    raw = sources.fetch(task.source, tmp_path / "raw")
    assert raw.card.title == "Parity of random bits"
    assert len(raw.manifest) == 60
    assert set(raw.manifest["label"]) == {"even", "odd"}
