"""Pictures in a comment: valid Mermaid whatever the data's names are."""

import re

import pytest

from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.delivery.gate import pictures
from gatewise.delivery.gate.assessment import Result, TaskResult
from gatewise.delivery.gate.interval import Difference
from gatewise.delivery.gate.promotion import Promotion
from gatewise.delivery.gate.report import as_markdown
from gatewise.delivery.gate.rule import Check

SETTINGS = GateConfig()
ACCURACY = METRICS["accuracy"]


def difference(value, se=0.01):
    return Difference(value, 0.9 + value, 0.9, se, 0.0, 30.0, 8, 40, se * 8**0.5)


def result(**slices):
    check = Check("toy", "gru", "gru", "champion", ACCURACY, True, difference(-0.02))
    check.slices = {name: difference(value, 0.03) for name, value in slices.items()}
    task = TaskResult("toy", ACCURACY, "regression", [check], Promotion("toy", False, None, "no"))
    return Result("champion", "regression", {"toy": task})


def numbers(line):
    return [float(n) for n in re.findall(r"-?\d+\.\d+", line)]


def test_every_line_of_the_chart_has_a_number_for_every_name():
    found = pictures.mermaid(result(**{"class odd": -0.2, "class fine": 0.01}), SETTINGS)
    names = re.findall(r'"([^"]*)"', next(line for line in found if "x-axis" in line))
    assert names == ["gru: all", "gru: class odd", "gru: class fine"]
    low, high, margin, value = [numbers(line) for line in found if line.startswith("    line")]
    assert value == [-2.0, -20.0, 1.0]
    assert all(a < v < b for a, v, b in zip(low, value, high, strict=True))
    assert margin == [-100 * SETTINGS.margin] + 2 * [-100 * SETTINGS.slices.margin]
    bottom, top = numbers(next(line for line in found if "y-axis" in line))
    assert bottom < min(low)
    assert top > max(high)


@pytest.mark.parametrize(
    "name", ['class "a"', "class a]", "class `x`", "class a\n```\n# b", "a;%%{b}"]
)
def test_names_cannot_end_the_chart(name):
    text = as_markdown(result(**{name: -0.2}), SETTINGS)
    chart = re.search(r"```mermaid\n(.*?)\n```\n", text, re.DOTALL).group(1)
    axis = next(line for line in chart.splitlines() if "x-axis" in line)
    assert re.fullmatch(r'    x-axis \["[\w .,:;()/+-]*", "[\w .,:;()/+-]*"\]', axis)
    assert len([line for line in chart.splitlines() if line.startswith("    line")]) == 4


def test_a_bar_in_a_name_does_not_break_the_table():
    (row,) = [
        line
        for line in as_markdown(result(**{"class a|b": -0.2}), SETTINGS).splitlines()
        if line.startswith("| gru | class")
    ]
    assert r"class a\|b" in row


def test_terminals_and_charts_of_one_line_are_drawn_in_characters():
    lone = pictures.mermaid(result(), SETTINGS)
    assert lone == pictures.characters(result(), SETTINGS)
    assert "●" in lone[1]
    shown = as_markdown(result(**{"class odd": -0.2}), SETTINGS, terminal=True)
    assert "mermaid" not in shown
    assert "●" in shown


def test_where_less_is_better_the_margin_lies_above_and_slices_have_a_chart_of_their_own():
    gated = result(**{"class odd": -0.2, "class fine": 0.01})
    (check,) = gated.tasks["toy"].checks
    check.metric = METRICS["log_loss"]
    found = "\n".join(pictures.mermaid(gated, SETTINGS))
    plot, chart = found.split("```mermaid")
    line = next(line for line in plot.splitlines() if "●" in line)
    assert line.index("│") < line.index("┆"), "zero, then the margin"
    assert "nats; ┆ is the margin" in plot
    assert "difference to champion in points" in chart
    assert '["gru: class odd", "gru: class fine"]' in chart
