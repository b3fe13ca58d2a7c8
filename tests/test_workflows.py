"""CI is thin and pinned: everything it does can be done here, and nothing moves beneath it."""

import re

import pytest
import yaml

FILES = ("ci.yml", "retrain.yml", "weekly.yml")


@pytest.fixture(params=FILES)
def workflow(request, project):
    text = (project / ".github" / "workflows" / request.param).read_text()
    return text, yaml.safe_load(text)


def steps(workflow):
    return [step for job in workflow[1]["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_commit_with_their_version_beside(workflow):
    used = [line.strip() for line in workflow[0].splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_one_version_of_an_action_everywhere(project):
    texts = [(project / ".github/workflows" / name).read_text() for name in FILES]
    commits = {}
    for action, commit in re.findall(r"uses: ([\w/-]+)@(\w+)", "\n".join(texts)):
        assert commits.setdefault(action, commit) == commit


def test_no_job_may_write_but_the_one_that_comments(workflow):
    top = workflow[1]["permissions"]
    assert top in ({}, {"contents": "read"})
    for name, job in workflow[1]["jobs"].items():
        writes = {k for k, v in (job.get("permissions") or {}).items() if v == "write"}
        assert writes == ({"pull-requests"} if name == "comment" else set())
        if writes:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"])
            assert not any("secrets." in str(step) for step in job["steps"])


def test_values_from_outside_never_enter_a_shell_line(workflow):
    assert not [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")]


def test_retrainings_never_race(project):
    github = yaml.safe_load((project / ".github/workflows/retrain.yml").read_text())
    assert github["concurrency"] == {"group": "retrain", "cancel-in-progress": False}
    gitlab = yaml.safe_load((project / ".gitlab-ci.yml").read_text())
    assert gitlab["retrain"]["resource_group"] == "retrain"


@pytest.mark.parametrize("name", [".github/workflows/retrain.yml", ".gitlab-ci.yml"])
def test_its_commands_exist(project, name):
    """Every option that CI passes is one that the command line knows."""
    from typer.main import get_command

    from gatewise.cli.main import app

    text = (project / name).read_text()
    commands = get_command(app).commands
    calls = re.findall(r"bin/gatewise (\w+)((?:[^\n]|\\\n)*)", text)
    assert {command for command, _ in calls} == {"retrain", "verify"}
    for command, rest in calls:
        known = {option for p in commands[command].params for option in p.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


def test_the_comment_is_found_by_the_marker_that_reports_begin_with(project):
    from gatewise.delivery.retraining.report import MARKER

    assert f'startswith("{MARKER}")' in (project / ".github/workflows/retrain.yml").read_text()


def test_what_make_test_leaves_out_runs_once_a_week(project):
    marked = "-m weekly", "-m 'not weekly'"
    assert all(words in (project / "Makefile").read_text() for words in marked)
    weekly = yaml.safe_load((project / ".github/workflows/weekly.yml").read_text())
    # YAML takes `on` for a truth value.
    ((_, _, _, _, weekday),) = [entry["cron"].split() for entry in weekly[True]["schedule"]]
    assert weekday != "*"
    assert "make weekly" in [step.get("run") for step in steps((None, weekly))]
    gitlab = yaml.safe_load((project / ".gitlab-ci.yml").read_text())["weekly"]
    assert gitlab["script"] == ["make weekly"]
    assert {"if": '$CI_PIPELINE_SOURCE == "schedule"'} in gitlab["rules"]


def test_the_same_bits_are_tried_on_every_push(project):
    tried = "pytest tests/training/test_portable.py"
    ci = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())
    assert "push" in ci[True]
    assert any(tried in step.get("run", "") for step in ci["jobs"]["same-bits"]["steps"])
    gitlab = yaml.safe_load((project / ".gitlab-ci.yml").read_text())["same-bits"]
    assert tried in gitlab["script"][-1]
    assert {"if": '$CI_PIPELINE_SOURCE != "schedule"'} in gitlab["rules"]
