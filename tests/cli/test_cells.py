from pathlib import Path

from typer.testing import CliRunner

from gatewise.cli import cells as command
from gatewise.models import cells

DOCS = Path(__file__).parents[2] / "docs" / "cells.md"


def run(*arguments):
    result = CliRunner().invoke(command.app, list(arguments), env={"COLUMNS": "200"})
    return result


def test_lists_every_cell_at_the_size_asked_for():
    output = run("--input", "3", "--hidden", "7").output
    for name in cells.names():
        assert name in output
    assert f"{4 * 7 * (3 + 7 + 2):,}" in output


def test_an_impossible_size_is_refused():
    result = run("--hidden", "0")
    assert result.exit_code == 2
    assert "hidden" in result.output


def test_the_docs_hold_the_table_as_it_is():
    """Regenerate with `gatewise cells --markdown`."""
    assert command.as_markdown(command.table(40, 128)) in DOCS.read_text(encoding="utf-8")


def test_the_docs_explain_every_cell():
    text = DOCS.read_text(encoding="utf-8")
    for name in cells.names():
        assert text.count(f"`{name}`") >= 2, name
