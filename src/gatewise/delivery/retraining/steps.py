"""The steps of a retraining. Each may be repeated: what is done already is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gatewise import config
from gatewise.artifacts import checkout, tuning_lock
from gatewise.artifacts.tuning_lock import TuningLock
from gatewise.config import Study
from gatewise.delivery.gate import report as gate_report
from gatewise.delivery.retraining import arrivals, params
from gatewise.errors import GatewiseError, in_words
from gatewise.files import digest, try_lock
from gatewise.repro import dvc, leftovers, rounds
from gatewise.tracking import origin
from gatewise.tracking.registry import CHAMPION

if TYPE_CHECKING:
    from gatewise.delivery.gate.assessment import Result
    from gatewise.delivery.retraining.champions import Outcome

STEPS = ("restore", "repro", "track", "gate", "push", "promote")
LOCK = Path(".gatewise/retrain.lock")
RESTORED = {
    "whole": "outputs restored from the DVC remote",
    "partial": "the DVC remote lacks some outputs (a push was cut off?); they are made again",
    "damaged": "the DVC remote has lost files of folders that it lists; they are made again here, "
    "but are pushed again only once those folders' .dir files are removed from the remote",
}


@dataclass
class Step:
    """A step that was taken."""

    name: str
    status: Literal["done", "skipped", "failed"] = "failed"
    """Failed until it is done."""
    sentence: str = ""
    """What it did, or why it could not."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Record:
    """`reports/retrain.json`."""

    verdict: str | None
    """The gate's; `error` where a step failed before it, nothing where no gate was asked."""
    exit_code: int
    error: str | None
    against: str
    commit: str | None
    dirty: bool
    """Whether files differed from the commit."""
    lock: str
    """Digest of the stages of `dvc.lock`."""
    steps: list[Step]
    stages_run: list[str]
    """Stages whose entry in `dvc.lock` changed."""
    gate: dict[str, Any] | None
    """`reports/gate.json`."""
    promotions: dict[str, Outcome]
    """By task."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass
class Retraining:
    """A retraining and what became of it so far."""

    against: str = CHAMPION
    promote: bool = False
    tune: bool = False
    """Choose settings anew where data have changed, in place of keeping them."""
    reports: Path = Path("reports")
    say: Callable[[str], None] = print
    steps: list[Step] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    """Stages whose entry in `dvc.lock` changed."""
    gate: dict[str, Any] | None = None
    """`reports/gate.json`."""
    shown: str = ""
    """The same for a terminal."""
    promotions: dict[str, Outcome] = field(default_factory=dict)
    """By task."""
    error: str | None = None
    _result: Result | None = None

    def run(self, wanted: Sequence[str] = STEPS, seeds: int | None = None) -> None:
        """Take the wanted steps in their order; the first that fails ends it.

        Args:
            wanted: names of steps.
            seeds: write this number of seeds to `params.yaml` first.

        Raises:
            GatewiseError: a step failed; it is in `error` as well.
        """
        try:
            study = self._study()
            if seeds is not None and seeds != len(study.seed_list):
                study = params.with_seeds(seeds)
                self.say(f"params.yaml now says seeds: {seeds}")
            for name in STEPS:
                if name in wanted:
                    self._take(name, study)
        except GatewiseError as error:
            self.error = str(error)
            raise

    @property
    def verdict(self) -> str | None:
        """`pass`, `regression`, `undecided`, or nothing where no gate was asked."""
        return None if self._result is None else self._result.verdict

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regression, 2 undecided, 3 could not run."""
        if self.error is not None:
            return 3
        return 0 if self.verdict is None else gate_report.EXIT[self.verdict]

    def record(self) -> Record:
        """What became of it, to be kept."""
        tags = origin.tags()
        return Record(
            verdict=self.verdict or ("error" if self.error else None),
            exit_code=self.exit_code,
            error=self.error,
            against=self.against,
            commit=tags.get(origin.COMMIT),
            dirty=tags.get(origin.DIRTY) == "true",
            lock=digest(origin.locked_stages()),
            steps=self.steps,
            stages_run=self.ran,
            gate=self.gate,
            promotions=self.promotions,
        )

    @cached_property
    def has_remote(self) -> bool:
        """Whether outputs are shared through a DVC remote."""
        return dvc.has_remote()

    # --- steps -----------------------------------------------------------------------------

    def _study(self) -> Study:
        study = config.load()
        if not Path("dvc.yaml").is_file() or not Path(".dvc").is_dir():
            raise GatewiseError("no DVC project here; run from the project's folder")
        if self.promote and self.against != CHAMPION:
            raise GatewiseError("--promote needs --against champion: nothing else is replaced")
        if self.promote and not study.tracking.enabled:
            raise GatewiseError("--promote needs the MLflow registry; set tracking.enabled")
        if self.promote and checkout.dirty():
            raise GatewiseError(
                "files differ from the last commit, so a champion could not be traced; commit "
                "or stash them (`git status`), or run without --promote"
            )
        return study

    def _take(self, name: str, study: Study) -> None:
        began = time.monotonic()
        step = Step(name)
        self.steps.append(step)
        self.say(f"== {name}")
        try:
            with in_words():
                sentence = getattr(self, f"_{name}")(study)
        except GatewiseError as error:
            step.sentence = str(error)
            raise
        else:
            step.status = "skipped" if sentence.startswith("skipped") else "done"
            step.sentence = sentence
            self.say(sentence)
        finally:
            step.seconds = round(time.monotonic() - began, 1)

    def _restore(self, _study: Study) -> str:
        if not self.has_remote:
            return "skipped: no DVC remote"
        if not Path("dvc.lock").is_file():
            dvc.call("fetch", "--run-cache")
            return "nothing is locked yet; fetched the remote's cache of earlier stages"
        return RESTORED[dvc.pull()]

    def _repro(self, study: Study) -> str:
        fresh = arrivals.changed(study)
        before = origin.locked_stages()
        if self.tune and TuningLock.read().kept:
            TuningLock().write()
            self.say("settings are tuned anew")
        for task, path in fresh.items():
            self.say(f"{task}: the files at {path} changed since they were fetched")
            if not self.tune:
                tuning_lock.keep(study, task, TuningLock.read()).write()
            dvc.call("repro", "plan")
            dvc.call("repro", "--single-item", "--force", f"fetch@{task}")
        arrivals.remember(study, fresh)
        rounds.reproduce(_repro, self.say)
        after = origin.locked_stages()
        self.ran = sorted(name for name in after if before.get(name) != after[name])
        if not self.ran:
            return "nothing changed, so nothing ran"
        return f"{len(self.ran)} stages changed: {', '.join(self.ran)}"

    def _track(self, study: Study) -> str:
        if not study.tracking.enabled:
            return "skipped: tracking is switched off"
        from gatewise.tracking import mirror, review

        outcome = mirror.mirror(study.tracking)
        reviewed = review.markdown(study.tracking)
        return "; ".join([f"MLflow: {outcome.sentence}", *outcome.notes, *reviewed])

    def _gate(self, study: Study) -> str:
        from gatewise.delivery.gate.run import run

        self._result = run(self.against, self.reports)
        self.gate = gate_report.as_json(self._result, study.gate)
        self.shown = gate_report.as_markdown(self._result, study.gate, terminal=True)
        return f"{self._result.verdict} against {self._result.against}"

    def _push(self, _study: Study) -> str:
        if not self.has_remote:
            return "skipped: no DVC remote"
        dvc.call("push", "--run-cache")
        return "outputs and stage cache pushed to the DVC remote; commit dvc.lock to go with them"

    def _promote(self, study: Study) -> str:
        if not self.promote:
            return "skipped: not asked to (--promote)"
        if self._result is None:
            raise GatewiseError("nothing was gated; take the step gate as well")
        from gatewise.delivery.retraining import champions

        self.promotions = champions.promote(study, self._result)
        moved = [task for task, outcome in self.promotions.items() if outcome.promoted]
        if moved:
            from gatewise.tracking import experiments

            experiments.refresh(study.tracking, reports=self.reports)
        return f"new champion for {', '.join(moved)}" if moved else "champions stay as they are"


def _repro() -> int:
    dvc.call("repro")
    return 0


@contextmanager
def exclusive() -> Iterator[None]:
    """One retraining of a project at a time; first ends what a killed one left running.

    Raises:
        GatewiseError: another one is at work.
    """
    held = try_lock(LOCK)
    if held is None:
        raise GatewiseError(
            "another `gatewise retrain` is at work on this project; wait until it has finished"
        )
    with held:
        leftovers.end()
        leftovers.mend_rwlock()
        leftovers.require_regular()
        yield
