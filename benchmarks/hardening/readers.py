"""Which commands read a file that the pipeline writes, nearest first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hardening import project

Command = Sequence[str]
"""Module and arguments."""

GATEWISE = "gatewise.cli.main"
PLANS = {
    "source.json": "fetch",
    "sequences.json": "prepare",
    "baseline.json": "baseline",
    "context.json": "context",
    "costs.json": "profile",
    "tuning": "tune",
    "variants": "train",
    "probes": "probe",
    "compare.json": "compare",
}
"""The stage that reads a plan, by the name of its file or folder."""
REPORTED = ("baselines", "context", "cost", "data", "probes", "comparison.json")
"""What `compare` or `report` read below `reports/`."""
STATUS: Command = ("dvc", "status")
GUARD: Command = ("guard",)
"""What `gatewise repro` and `gatewise retrain` look at, and mend, before they start DVC."""


def of(folder: Path, name: str) -> list[Command]:
    """What reads the file `name` of the reproduced project `folder`."""
    place, *rest = name.split("/")
    if place == "kept":
        task = rest[0].split("-")[0]
        return [(GATEWISE, "gate", "--against", name, "--task", task)]
    if name in ("params.yaml", "seeds.lock", "tuning.lock"):
        return [(GATEWISE, "config", "params.yaml"), ("pipeline.plan",)]
    if place == ".gatewise":
        return _kept(folder, rest)
    if name.startswith("data/plan/"):
        return [GUARD, _planned(rest[1:])]
    if place == "data":
        return [GUARD, *_data(*rest)]
    if place == "runs":
        return [GUARD, *_run(*rest)]
    if place == "reports":
        read = [("pipeline.report",)]
        read += [("pipeline.compare",)] if rest[0] in REPORTED[:-1] else []
        return [GUARD, *read, *([(GATEWISE, "show")] if rest[0] == REPORTED[-1] else [])]
    return [GUARD, STATUS]  # DVC's own: its lock, its list of what is in use


def _planned(rest: Sequence[str]) -> Command:
    """`<task>/source.json`, `<task>/variants/<variant>.json`, `probes/<variant>.json`, ..."""
    item = rest[-1].removesuffix(".json")
    if rest[0] in PLANS:  # of no task
        return (f"pipeline.{PLANS[rest[0]]}", *([item] if len(rest) > 1 else []))
    task, kind = rest[:2]
    return (f"pipeline.{PLANS[kind]}", task, *([item] if len(rest) > 2 else []))


def _data(kind: str, task: str, file: str) -> list[Command]:
    if kind == "raw":
        return [("pipeline.prepare", task)]
    if kind == "tuned":
        return [("pipeline.train", task, file.removesuffix(".json")), ("pipeline.compare",)]
    return [
        ("pipeline.baseline", task),
        ("pipeline.context", task),
        ("pipeline.train", task, "gru"),
        ("pipeline.compare",),
        (GATEWISE, "predict", f"runs/{task}/gru/seed-0", *_asked(task)),
    ]


def _run(task: str, variant: str, *file: str) -> list[Command]:
    run = f"runs/{task}/{variant}/{file[0]}"
    return [
        ("pipeline.compare",),
        ("pipeline.context", task),
        (GATEWISE, "gate", "--keep", "kept-again"),
        *([(GATEWISE, "predict", run, *_asked(task))] if len(file) > 1 else []),
    ]


def _asked(task: str) -> Command:
    return ("--text", "a fine film") if task == "texts" else ("mine/sounds/low/s0_0.wav",)


def _kept(folder: Path, rest: Sequence[str]) -> list[Command]:
    kind = rest[0]
    if kind == "kept":
        return [(f"pipeline.{rest[1]}", rest[2])]
    if kind == "runs":
        record = folder.joinpath(".gatewise", *rest[:3], "run.json")
        run = json.loads(record.read_bytes())
        return [("pipeline.train", run["task"], run["variant"])]
    stages = [(t, v) for t in project.STUDY["tasks"] for v in project.STUDY["variants"]]
    return [("pipeline.tune", task, variant) for task, variant in stages]  # trials
