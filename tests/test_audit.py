"""The locks against known advisories: no answer is no good news."""

import os
import subprocess

import pytest

CLEAN = ("No known vulnerabilities found", 0)
FOUND = ("Found 1 known vulnerability in 1 package\nName Version ID\nx 1 CVE-1", 1)
UNKNOWN = ("ERROR:pip_audit._cli:x: Dependency not found and could not be audited: x (1)", 1)
NO_NETWORK = ("Traceback (most recent call last):\n  File\nConnectionError: no route", 1)
NO_TOOL = ("  x No solution found\n  cause: pip-audit needs to be downloaded", 2)


@pytest.fixture
def audit(project, tmp_path):
    """Runs `.ci/audit` on two locks for which `uv` says and does what is given."""

    def run(*outcomes):
        fake = tmp_path / "uv"
        fake.write_text(
            '#!/usr/bin/env bash\nfor lock; do :; done\ncat "$0.$lock"; echo "$*" >> "$0.asked"\n'
            'exit "$(cat "$0.$lock.status")"\n'
        )
        fake.chmod(0o755)
        locks = [f"lock-{place}" for place in range(len(outcomes))]
        for lock, (said, status) in zip(locks, outcomes, strict=True):
            (tmp_path / f"uv.{lock}").write_text(said + "\n")
            (tmp_path / f"uv.{lock}.status").write_text(str(status))
        return subprocess.run(
            [project / ".ci" / "audit", *locks],
            env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_clean_locks_pass(audit, tmp_path):
    done = audit(CLEAN, CLEAN)
    assert done.returncode == 0
    assert done.stdout.count("No known vulnerabilities found") == 2
    asked = (tmp_path / "uv.asked").read_text()
    # Without it packages that the index does not know are passed over.
    assert asked.count("--strict") == 2


def test_what_is_found_is_listed_and_fails(audit):
    done = audit(CLEAN, FOUND)
    assert done.returncode == 1
    assert "CVE-1" in done.stdout


@pytest.mark.parametrize("outcome", [UNKNOWN, NO_NETWORK, NO_TOOL])
def test_who_cannot_be_asked_has_not_said_that_all_is_well(audit, outcome):
    done = audit(FOUND, outcome)
    assert done.returncode == 2
    assert "CVE-1" in done.stdout
    assert "error: lock-1: not compared with any advisory" in done.stderr
    assert outcome[0].splitlines()[-1].strip() in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_every_ci_runs_it(project):
    for name in (".github/workflows/ci.yml", ".gitlab-ci.yml"):
        assert "make audit" in (project / name).read_text()
    assert ".ci/audit requirements.lock requirements-dev.lock" in (project / "Makefile").read_text()
