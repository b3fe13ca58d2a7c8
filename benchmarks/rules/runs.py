"""Runs of the settings that are tried: each is trained once, and its scores are kept."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.rules.settings import CELLS
from gatewise.artifacts import plan as plans
from gatewise.artifacts.prepared import Prepared
from gatewise.config import Study
from gatewise.data import sources
from gatewise.data.preparation import build
from gatewise.diagnostics import baselines
from gatewise.files import digest
from gatewise.training import instructions
from gatewise.training.evaluation import score
from gatewise.training.fit import fit


@dataclass(frozen=True)
class Score:
    """What one run came to, in the metric's own value."""

    cell: str
    seed: int
    validation: float
    test: float
    seconds: float
    """Of the processor."""


class Runs:
    """Trains what was not trained before; a folder keeps data and scores."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._scores = folder / "scores.jsonl"
        lines = self._scores.read_text().splitlines() if self._scores.exists() else []
        self._known = {row.pop("key"): Score(**row) for row in map(json.loads, lines)}

    def prepared(self, study: Study) -> Prepared:
        """The only task of a study, fetched and prepared unless that is done."""
        ((task, settings),) = study.tasks.items()
        raw = self.folder / "raw" / task
        if not raw.is_dir():
            sources.fetch(settings.source, raw)
        asked = {"features", "split", "objective", "metric", "allow", "on_bad"}
        key = digest(settings.model_dump(mode="json", include=asked))[:12]
        target = self.folder / "prepared" / f"{task}-{key}"
        if target.is_dir():
            return Prepared.open(target)
        return build.prepare(task, settings, raw, target, workers=1)[0]

    def scores(self, study: Study, seed: int) -> list[Score]:
        """Those of the LSTM and the GRU."""
        return [self._score(study, cell, seed) for cell in CELLS]

    def linear(self, study: Study, seed: int) -> float:
        """Test score of the linear model on the same examples."""
        prepared = self.prepared(study)
        return baselines.evaluate(prepared, [seed], 1.0, 0.05, 10).baselines["linear"].mean

    def _plan(self, study: Study, cell: str) -> plans.RunPlan:
        (plan,) = (one for one in plans.lay_out(study) if one.variant == cell)
        return plan.model_copy(update={"seeds": (), "instructions": os.environ[instructions.MODE]})

    def _key(self, study: Study, cell: str, seed: int) -> str:
        return digest(
            [
                self._plan(study, cell).model_dump(mode="json"),
                self.prepared(study).card.digest,
                seed,
            ]
        )

    def _score(self, study: Study, cell: str, seed: int) -> Score:
        key = self._key(study, cell, seed)
        if key not in self._known:
            plan = self._plan(study, cell)
            began = time.process_time()
            fitted = fit(plan, seed, self.prepared(study))
            took = time.process_time() - began
            found = score(fitted, ("validation", "test"))
            values = {split: found[split].metrics[plan.metric] for split in found}
            made = Score(cell, seed, values["validation"], values["test"], round(took, 1))
            with self._scores.open("a", encoding="utf-8") as file:
                file.write(line(key, made))
            self._known[key] = made
        return self._known[key]


def line(key: str, score: Score) -> str:
    """A run as it is kept."""
    return json.dumps({"key": key, **asdict(score)}) + "\n"
