import re

import pytest
from typer.testing import CliRunner

from gatewise.cli import main

runner = CliRunner()


def test_help_lists_the_commands():
    shown = runner.invoke(main.app, ["--help"])
    assert shown.exit_code == 0
    for command in ("config", "show", "track", "ui"):
        assert command in shown.output


def test_the_reference_names_every_key(project):
    shown = runner.invoke(main.app, ["config"], terminal_width=200)
    assert shown.exit_code == 0
    for key in ("tasks", "n_mels", "patience", "primary", "threads_per_run", "voices"):
        assert key in shown.output


def test_a_study_can_be_checked(project, tmp_path, monkeypatch, capsys):
    shown = runner.invoke(main.app, ["config", str(project / "params.yaml")])
    assert "fine; 144 runs" in shown.output
    broken = tmp_path / "params.yaml"
    broken.write_text("tasks: 1")
    monkeypatch.setattr("sys.argv", ["gatewise", "config", str(broken)])
    with pytest.raises(SystemExit) as left:
        main.main()
    assert str(left.value.code).startswith(f"error: {broken}: ")


def test_every_command_of_the_readme_exists(project):
    text = (project / "README.md").read_text()
    commands = [
        line.split("#")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) > 5
    targets = set(re.findall(r"^([a-z]+):", (project / "Makefile").read_text(), re.MULTILINE))
    for command in filter(None, commands):
        program, *arguments = command.split()
        if program == "make":
            assert set(arguments) <= targets, command
        elif program == "gatewise":
            assert runner.invoke(main.app, [arguments[0], "--help"]).exit_code == 0, command
        else:
            assert command.startswith(("dvc repro", "dvc exp run", "dvc metrics", "dvc plots"))
