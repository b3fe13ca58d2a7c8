"""What the documentation names is there."""

import re
import tomllib
from itertools import chain

import pytest
import yaml

from gatewise import config

PAGES = ["README.md", "SECURITY.md", *(f"docs/{name}.md" for name in (
    "architecture", "benchmarks", "cells", "dvc", "evidence", "lightning", "memory",
    "reproducibility", "retraining", "review", "scale", "security", "session", "sources", "team",
    "tuning", "your-data",
))]  # fmt: skip
MADE = ("data/", "runs/", "reports/", ".gatewise/", "benchmarks/results/", "deploy/.env")
"""What the pipeline or a user makes, and a checkout need not have."""


def anchors(page):
    """Anchors of a page's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_looked_at(project):
    assert set(PAGES) == {
        "README.md",
        "SECURITY.md",
        *(f"docs/{p.name}" for p in (project / "docs").glob("*.md")),
    }


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(project, name):
    page = project / name
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), target
        if anchor:
            assert anchor in set(anchors(other)), target


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_exist(project, name):
    text = (project / name).read_text()
    folders = "src|tests|docs|pipeline|benchmarks|deploy"
    for path in re.findall(rf"`((?:{folders})/[^`\s<>*{{}}]*)`", text):
        assert path.startswith(MADE) or (project / path).exists(), path


def test_the_table_of_packages_is_what_is_enforced(project):
    """Same packages, same order, nothing left out."""
    settings = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [c for c in settings["contracts"] if c["type"] == "layers"]
    text = (project / "docs/architecture.md").read_text()
    section = text[text.index("## The packages") : text.index("## Where do I add")]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = chain.from_iterable(re.findall(r"`(\w+)/?`", row) for row in rows)
    assert list(named) == contract["layers"]


def test_the_example_of_tuning_is_one_that_a_study_can_hold(project):
    text = (project / "docs/tuning.md").read_text()
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    study = yaml.safe_load((project / "params.yaml").read_text()) | {"tuning": example["tuning"]}
    study["tasks"]["digits"] |= example["tasks"]["digits"]
    tuning = config.Study.model_validate(study).tuning_for("digits")
    assert set(tuning.space) == {"learning_rate", "dropout", "init"}
    assert (tuning.trials, tuning.seeds, tuning.space["learning_rate"].high) == (6, 4, 0.05)
