"""docs/dvc.md is walked: its commands run in order, and what it says they print is compared."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.checkouts import checkout, run
from tests.pipeline.conftest import committed

LEFT_OUT = "..."
# What is another one each time or on another machine: addresses, commits, times, numbers.
OTHERS = (
    (r"file://\S+", "FILE"),
    (r"(?<![\w.])[0-9a-f]{7}\b", "COMMIT"),
    (r"\b\d\d:\d\d [AP]M\b", "TIME"),
    (r"-?\b\d+(\.\d+)?(e-?\d+)?\b", "NUMBER"),
    (r"-{2,}", "-"),
    (r"[ \t]+", " "),
)


def steps(page: str) -> list[tuple[str, list[str]]]:
    """Commands of a page's console blocks, each with the lines it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def masked(line: str) -> str:
    for pattern, stands_for in OTHERS:
        line = re.sub(pattern, stands_for, line)
    return line.strip()


def agrees(printed: str, said: list[str]) -> bool:
    """Whether a command printed what the page says, in order, but for lines left out."""
    lines = [
        r"(?:.*\n)*?" if line == LEFT_OUT else re.escape(masked(line)) + r"\n" for line in said
    ]
    text = "".join(f"{masked(line)}\n" for line in printed.strip().splitlines())
    while lines and lines[-1] == r"\n":
        lines.pop()
    return re.fullmatch("".join(lines), text) is not None


def test_what_is_compared_can_differ():
    said = ["| a | 0.5 |", LEFT_OUT, "end of 827420f"]
    assert agrees("|  a  |  0.71 |\nx\ny\nend of 1234567\n\n", said)
    assert agrees("| a | 1 |\nend of 1234567", said)
    assert not agrees("| b | 0.5 |\nend of 827420f", said)
    assert not agrees("| a | 0.5 |\nx", said)
    assert not agrees("| a | 0.5 |\nend of 827420f\nand more", said)


def digits_alone(folder: Path) -> None:
    """A small study of one task of the default one, untuned and tracked afterwards."""
    path = folder / "params.yaml"
    study = yaml.safe_load(path.read_text())
    digits = study["tasks"]["digits"]
    del digits["tuning"], study["tuning"]
    digits["train"] = {"epochs": 2}
    study["tasks"] = {"digits": digits}
    study["variants"] = {
        "lstm": {"cell": "lstm", "hidden": 8},
        "gru": {"cell": "gru", "match": {"parameters": "lstm"}},
    }
    study["seeds"] = 2
    study["compare"]["primary"] = [["gru", "lstm"]]
    lengths = ("adding", "copy", "order", "counting", "digits")
    study["probes"] = {
        **{f"{name}_lengths": [] for name in lengths},
        "adding_lengths": [4],
        "copy_lengths": [2],
        **{"updates": 5, "seeds": 1, "gradient_length": 10, "gradient_reach": 5},
    }
    study["tracking"]["live"] = False
    path.write_text(yaml.safe_dump(study, sort_keys=False))


@pytest.mark.weekly
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_walk_prints_what_the_page_says(project, tmp_path):
    folder = checkout(project, tmp_path)
    digits_alone(folder)
    committed(folder, "small study")
    run(folder, "dvc", "repro")
    run(folder, "git", "add", "dvc.lock")
    run(folder, "git", "commit", "-qm", "its lock")
    walk = steps((project / "docs/dvc.md").read_text())
    assert len(walk) > 10
    for command, said in walk:
        printed = run(folder, *shlex.split(command))
        assert agrees(printed, said), f"$ {command}\n{printed}"
        if command.startswith("dvc plots diff"):
            page = (folder / "dvc_plots/index.html").read_text()
            assert 'src="http' not in page, "nothing is fetched"
            assert "quick" in page
    changed = run(folder, "git", "status", "--porcelain").split()
    assert changed == ["M", "dvc.lock", "M", "params.yaml"], "the one that was applied"
