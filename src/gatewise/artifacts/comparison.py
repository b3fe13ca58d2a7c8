"""`reports/comparison.json`: what the study found, the one file that every reader goes by.

Scores, differences and intervals are in the metric's own value (0.961 of accuracy, not 96.1);
`TaskMetric.definition` knows how to show them. A difference is `a - b` whichever way the metric
goes; a verdict names the better variant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from gatewise.artifacts.answer import Answer
from gatewise.artifacts.baselines import BaselineScore, ScoreSummary
from gatewise.artifacts.costs import Quartiles, Structure
from gatewise.artifacts.document import Document, Interval, Part
from gatewise.artifacts.promise import Outcome, Promise
from gatewise.artifacts.tuning_summary import TaskTuning
from gatewise.config.metrics import METRICS, Metric
from gatewise.config.work import Work
from gatewise.errors import GatewiseError

FILE = "comparison.json"
"""Its name in the folder of reports."""
EQUIVALENT, UNDECIDED = "equivalent", "undecided"
"""Verdicts of a pair beside the names of its variants."""
ClaimVerdict = Literal["supported", "refuted", "inconclusive", "not tested"]


class TaskMetric(Part):
    """The primary metric of a task."""

    name: str
    """As in `gatewise.config.metrics`."""
    direction: Literal["higher", "lower"]
    """Which values are better."""
    unit: str
    """Of scores as people read them: `%`, `nats`."""
    rope: float
    """Region of practical equivalence: differences within +-rope are the same."""

    @classmethod
    def of(cls, metric: Metric, rope: float) -> Self:
        """The entry of a metric of the registry."""
        unit = metric.unit.symbol.strip()
        return cls(name=metric.name, direction=metric.direction, unit=unit, rope=rope)

    @property
    def definition(self) -> Metric:
        """The registry's entry, which computes and shows scores."""
        return METRICS[self.name]


class Noise(Part):
    """How far other seeds and other test groups would move a score or a difference."""

    ci: Interval
    """Interval over seeds and test groups."""
    se_seeds: float
    """Standard error from the seeds alone."""
    se_groups: float
    """Standard error from the test groups alone."""


class VariantSummary(ScoreSummary):
    """One variant on one task: its scores over seeds, its size and what it costs."""

    values: tuple[float, ...]
    """Test score of each seed."""
    seeds: tuple[int, ...]
    parameters: int
    """Trainable parameters of the whole model."""
    recurrent_parameters: int
    macs_per_step: int
    """Multiply-accumulates of the recurrence for one step of one sequence."""
    hidden: int | None
    """Units of each layer."""
    cell: str
    budget: str
    """How the width came about, in words."""
    kernel: str
    structure: Structure | None = None
    share_of_peak: float | None = None
    """How near a training step comes to the device's large matrix products."""
    train_seconds_per_epoch: float | None = None
    peak_memory_mb: float | None = None
    latency_ms: float | None = None
    """Median of one example."""
    size_bytes: int | None = None
    timings: Mapping[str, Quartiles | None] = Field(default_factory=dict)
    generalisation_gap: float | None = None
    """Mean of `gaps`."""
    gaps: tuple[float, ...] = ()
    """Score on the training split less that on the test split, one a seed."""
    best_epochs: tuple[int, ...] = ()
    """Epoch whose weights were kept, one a seed."""
    weights_sha256: Mapping[str, str] = Field(default_factory=dict)
    """By seed."""
    epochs_to_target: tuple[int | None, ...] = ()
    """One a seed; `None` where the target was not reached."""
    seconds_to_target: float | None = None
    """Mean epochs times seconds an epoch; only where every seed reached the target."""
    test_noise: Noise | None = None


class Ratio(Part):
    """A ratio of two costs."""

    ratio: float
    ci: Interval | None
    """Exact interval of the median; `None` with too few rounds."""


class PairMeasurement(Part):
    """Two variants of one task over the seeds that both finished; before any correction."""

    a: str
    b: str
    primary: bool
    """Declared before the results were seen."""
    seeds: tuple[int, ...]
    difference: float | None
    """Mean of `differences`; `None` where no seed finished with both."""
    std: float | None
    """Standard deviation of the differences."""
    ci: Interval | None
    """Bootstrap interval of the mean difference over seeds."""
    p_value: float | None
    """Two-sided exact sign-flip test."""
    p_superiority: float | None
    """Share of seeds on which `a` is better; ties count half."""
    p_superiority_ci: Interval | None
    effect_size: float | None
    """Difference in standard deviations, corrected for small samples."""
    almost_stochastic_order: Mapping[str, float | None]
    """By variant: how far it is from being better at every quantile; 0 means it is."""
    rope: float
    p_equivalence: float | None
    """Two one-sided tests that the difference lies within +-rope."""
    test_noise: Noise | None
    differences: tuple[float, ...]
    """`a - b`, one a seed."""
    step_time: Ratio | None
    """A training step of `a` to one of `b`."""

    @property
    def rank(self) -> Literal["primary", "secondary"]:
        """Whether the study is about it."""
        return "primary" if self.primary else "secondary"

    def other(self, variant: str) -> str:
        """The variant beside `variant`."""
        return self.b if variant == self.a else self.a


class Pair(PairMeasurement):
    """A measured pair with its verdict."""

    p_value_holm: float | None
    """Corrected over the primary pairs of all tasks; `None` for secondary ones."""
    p_equivalence_holm: float | None
    verdict: str
    """The better variant, `equivalent` or `undecided`."""
    decided_at: int | None
    """Seeds at the look that decided it, where seeds are added in rounds."""
    seeds_needed: int | None
    """Seeds to add before an undecided pair is expected to be decided with the wanted power, if
    its difference and spread are as estimated."""
    seeds_needed_interval: tuple[int, int] | None = None
    """The same over what differences and spreads the data leave open."""

    @property
    def winner(self) -> str | None:
        """The better variant, if one is."""
        return self.verdict if self.verdict in (self.a, self.b) else None

    @property
    def deciding_p(self) -> float | None:
        """The p-value that the verdict rule looked at: corrected for primary pairs."""
        return self.p_value_holm if self.primary else self.p_value

    @property
    def deciding_p_equivalence(self) -> float | None:
        """As `deciding_p`, for equivalence."""
        return self.p_equivalence_holm if self.primary else self.p_equivalence


class BudgetVerdict(Part):
    """One cell against one reference with something held equal."""

    equal: str
    """What is held equal, in words."""
    variant: str
    """The cell's variant under this budget."""
    difference: float
    """The cell's score less the reference's."""
    winner: Literal["cell", "reference", "equivalent", "undecided"]


class BudgetSensitivity(Part):
    """Whether the verdict on a cell hangs on what was held equal."""

    cell: str
    reference: str
    budgets: tuple[BudgetVerdict, ...]
    change: Literal["flips", "changes", "none"]
    """`flips` where one budget favours the cell and another the reference."""


class ContextPoint(Part):
    """One variant given the last `steps` steps of each test sequence."""

    steps: int
    score: float
    """Mean over seeds."""
    ci: Interval | None
    loss: float
    """That score less the one on whole sequences, by paired seed."""
    loss_ci: Interval | None


class VariantContext(Part):
    """One variant at every context."""

    points: tuple[ContextPoint, ...]
    """Rising; the last gives every sequence whole."""
    needed: int
    """The least context from which on the mean score is within the ROPE of the whole's."""


class TaskContext(Part):
    """How much past a task needs."""

    steps: tuple[int, ...]
    median_length: float
    """Of the test sequences, in steps."""
    step_seconds: float | None
    """Duration of one step, for audio."""
    variants: Mapping[str, VariantContext]


class TaskComparison(Part):
    """All that the study says of one task."""

    title: str
    """What the data are, in one honest line."""
    synthetic: bool
    source: str = ""
    """Kind of source that the data come from."""
    work: Work = "other"
    """What its examples are instances of, for claims about a kind of work."""
    metric: TaskMetric
    seeds: tuple[int, ...]
    """Those that the study declares."""
    train_fraction: float
    """Share of the training split that was trained on."""
    target: float | None
    """Validation score that `epochs_to_target` asks for."""
    test_groups: int | None
    """Test groups (speakers, films) over all seeds, where their noise could be told."""
    cost_device: str | None
    cost_threads: int | None
    cost_versions: Mapping[str, str] | None
    variants: Mapping[str, VariantSummary]
    baselines: Mapping[str, BaselineScore]
    pairs: tuple[Pair, ...]
    """Primary ones first, as declared."""
    warnings: tuple[str, ...]
    budgets: tuple[BudgetSensitivity, ...]
    context: TaskContext | None = None
    """How much past the task needs; `None` where no run was asked."""
    answer: Answer | None = None
    """What to take; `None` where no variant has a usable run."""
    promise: Promise | None = None
    """What the study could tell before it was trained."""
    outcome: Outcome | None = None
    """What the runs showed, to be held against the promise; `None` with one seed."""
    tuning: TaskTuning | None = None
    """How settings were chosen; `None` where every variant trained with the declared ones."""

    @property
    def primary(self) -> tuple[Pair, ...]:
        """The pairs that the study is about."""
        return tuple(pair for pair in self.pairs if pair.primary)

    @property
    def leader(self) -> str:
        """The variant with the best mean score; the first of equal ones."""
        gain = self.metric.definition.gain
        return max(self.variants, key=lambda name: gain(self.variants[name].mean))

    @property
    def to_take(self) -> str:
        """The answer's choice; the variant with the best mean where there is no answer."""
        return self.leader if self.answer is None else self.answer.choice

    def pair(self, a: str, b: str) -> Pair | None:
        """What the study says of two variants, in either order."""
        return next((pair for pair in self.pairs if {pair.a, pair.b} == {a, b}), None)

    def pairs_with(self, variant: str) -> tuple[Pair, ...]:
        """All pairs that `variant` is in."""
        return tuple(pair for pair in self.pairs if variant in (pair.a, pair.b))


class RankPair(Part):
    """Nemenyi's post-hoc test of two average ranks."""

    a: str
    b: str
    p_value: float


class Ranking(Part):
    """Average ranks over the tasks; 1 is best."""

    tasks: int
    average_ranks: Mapping[str, float]
    p_value: float | None
    """Friedman's test; `None` with too few tasks or variants."""
    critical_difference: float | None
    """Ranks closer than this are not told apart."""
    pairs: tuple[RankPair, ...]
    sentence: str


class Finding(Part):
    """What one task or probe says about a claim."""

    verdict: Literal["supported", "refuted", "inconclusive"]
    where: str = ""
    """The task, problem or variant that it is about."""
    sentence: str
    effect: float | None = None
    """In the unit of the sentence."""
    interval: Interval | None = None
    """Of the effect."""
    n: int | None = None
    """Seeds of the smaller side; `None` where nothing was sampled."""
    link: str | None = None
    """Anchor of the picture in the report."""


class ClaimEvidence(Part):
    """What a claim's verdict rests on."""

    sentence: str
    link: str | None
    findings: tuple[Finding, ...]


class Claim(Part):
    """A textbook sentence with its verdict."""

    id: str
    statement: str
    """The textbook's, in short."""
    source: str
    """Who says so."""
    measured: str
    """What stands for it here."""
    verdict: ClaimVerdict
    scope: str
    """How much of the evidence bears the verdict out: `1 of 3 tasks`; empty where nothing was
    tested."""
    would_change: str
    """What would overturn or settle it."""
    evidence: ClaimEvidence

    @property
    def said(self) -> str:
        """The verdict with its scope: `supported (1 of 3 tasks)`."""
        return f"{self.verdict} ({self.scope})" if self.scope else self.verdict


class Comparison(Document):
    """The whole of it."""

    stage: ClassVar[str] = "compare"

    alpha: float
    """Family-wise error rate."""
    rope: float
    power: float
    """Power wanted when computing how many seeds are needed."""
    looks: tuple[int, ...] | None
    """Seed counts at which results are looked at, where seeds are added in rounds."""
    primary_tests: int
    """Primary pairs over all tasks that could be tested."""
    warnings: tuple[str, ...]
    tasks: Mapping[str, TaskComparison]
    across: Ranking
    claims: tuple[Claim, ...]
    versions: Mapping[str, tuple[str, ...]]
    """Versions that the runs were made with; more than one of a library is worth seeing."""
    study: Mapping[str, Any]
    """`params.yaml` with every default written out, without tracking, execution and gate."""

    def task(self, name: str) -> TaskComparison:
        """One task's part.

        Raises:
            GatewiseError: there is no such task.
        """
        if name not in self.tasks:
            raise GatewiseError(
                f"reports/comparison.json has no task {name!r}; it has {', '.join(self.tasks)}"
            )
        return self.tasks[name]
