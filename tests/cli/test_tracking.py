import pytest
from typer.testing import CliRunner

from gatewise.cli import browser
from gatewise.cli.main import app
from gatewise.errors import GatewiseError
from tests.tracking.conftest import config, empty_store, folders  # noqa: F401
from tests.tracking.test_pages import write_comparison


def call(*arguments: str):
    return CliRunner().invoke(app, [*arguments])


def test_track_then_check_then_where(config, folders, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setenv("MLFLOW_TRACKING_URI", config.uri)
    missing = call("track", "--check")
    assert missing.exit_code == 1
    first = call("track")
    assert first.exit_code == 0
    assert "6 runs: 6 added, 0 completed, 0 were whole" in first.output
    assert "0 added, 0 completed, 6 were whole" in call("track").output
    assert call("track", "--check").output.strip() == "MLflow holds all of it"
    where = call("track", "--where", "runs/digits/gru/seed-1").output.split()
    assert where[1].startswith("http://127.0.0.1:5000/#/experiments/")
    assert where[1].endswith(f"/runs/{where[0]}?workflowType=machine_learning")
    (tmp_path / "runs/digits/gru/seed-1/curves.csv").write_text("epoch,train_loss\n1,9.5\n")
    changed = call("track", "--check")
    assert changed.exit_code == 1
    assert "digits/gru/seed-1: it was not written as a whole" in changed.output


def test_ui_needs_a_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = call("ui")
    assert isinstance(result.exception, GatewiseError)
    assert "there is no store yet; run `gatewise track`" in str(result.exception)


def test_ui_of_a_server_is_the_server(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    result = call("ui", "--no-open")
    assert "the store is a server already: http://127.0.0.1:9" in result.output
    assert "does not answer" in str(result.exception)


def test_links_are_printed_for_any_host_and_port(config, folders, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setenv("MLFLOW_TRACKING_URI", config.uri)
    write_comparison(tmp_path)
    call("track")
    for options, base in (
        ((), "http://127.0.0.1:5000/#/experiments/"),
        (("--host", "review.example", "--port", "8080"), "http://review.example:8080/#/"),
    ):
        lines = call("track", "--links", *options).output.splitlines()
        assert [line.split()[0] for line in lines] == ["whole_study", "digits"]
        assert all(line.split()[1].startswith(base) for line in lines)
        assert all("viewStateShareKey=gatewise-1-answer" in line for line in lines)
        assert all("workflowType=machine_learning" in line for line in lines)


def test_ui_prints_its_links_and_opens_no_browser_unasked(config, folders, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setenv("MLFLOW_TRACKING_URI", config.uri)
    write_comparison(tmp_path)
    call("track")
    started, opened = [], []
    monkeypatch.setattr("os.execv", lambda _program, command: started.append(command))
    monkeypatch.setattr(browser, "later", lambda *where: opened.append(where))
    output = call("ui", "--port", "5999").output
    assert "http://127.0.0.1:5999/#/experiments/" in output
    assert started[0][-4:] == ["--port", "5999", "--workers", "1"]
    assert opened == []
    call("ui", "--port", "5999", "--open")
    (page, wait) = opened[0]
    assert page.startswith("http://127.0.0.1:5999/#/experiments/")
    assert wait == "http://127.0.0.1:5999/health"


def test_tracking_switched_off_says_so(tmp_path, monkeypatch, project):
    text = (project / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(
        text.replace("tracking:\n", "tracking:\n  enabled: false\n")
    )
    monkeypatch.chdir(tmp_path)
    assert "switched off" in call("track").output


@pytest.mark.parametrize("command", ["track", "ui"])
def test_help(command):
    assert call(command, "--help").exit_code == 0
