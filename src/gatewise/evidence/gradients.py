"""Whether gradients reach back: what the probes say, at a stated distance."""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.artifacts.comparison import Finding
from gatewise.artifacts.document import Interval
from gatewise.artifacts.probes import GradientDecay
from gatewise.evidence import probed, survival
from gatewise.evidence.findings import INCONCLUSIVE, REFUTED, SUPPORTED, Verdict
from gatewise.evidence.probed import Probes

VANISHED = -2.0
"""log10 of the share of a gradient that counts as nothing left of it: a hundredth."""


def alive(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether more of `a`'s gradient is left at the stated distance, before and after training."""
    both = probed.both(probes, a, b)
    if both is None or a is None or b is None:
        return []
    gradients = [report.gradient for report in both]
    if gradients[0] is None or gradients[1] is None:
        return []
    steps = both[0].settings.gradient_reach
    moments = [gradient.moments for gradient in gradients if gradient is not None]
    return [
        _alive(f"{a} against {b}, {when}", steps, moments[0][when], moments[1][when], alpha, when)
        for when in moments[0]
    ]


def _alive(
    what: str, steps: int, a: GradientDecay, b: GradientDecay, alpha: float, when: str
) -> Finding:
    p = survival.permuted(a.left, b.left)
    means = [sum(side.left) / len(side.left) for side in (a, b)]
    return Finding(
        verdict=probed.verdict(p, means[0] - means[1], alpha),
        where=when,
        n=min(len(a.left), len(b.left)),
        sentence=f"{what}: {left(means[0])} of the gradient reaches {steps} steps back, against "
        f"{left(means[1])} (p = {p:.3g}).",
        effect=means[0] - means[1],
        link=f"chart-gradient-{when}",
    )


def vanishes(probes: Probes, variant: str | None, alpha: float) -> list[Finding]:
    """Whether next to nothing of a variant's gradient is left at the stated distance.

    By a t interval of the shares' logarithms, which lie about evenly around their mean.
    """
    report = probes.get(variant or "")
    if report is None or report.gradient is None:
        return []
    steps = report.settings.gradient_reach
    return [
        _vanishes(f"{variant}, {when}", steps, decay, alpha, when)
        for when, decay in report.gradient.moments.items()
    ]


def _vanishes(what: str, steps: int, decay: GradientDecay, alpha: float, when: str) -> Finding:
    mean, interval = sum(decay.left) / len(decay.left), _t_interval(decay.left, 1 - alpha)
    verdict: Verdict = INCONCLUSIVE
    bounds = ""
    if interval is not None:
        if interval[1] < VANISHED:
            verdict = SUPPORTED
        elif interval[0] > VANISHED:
            verdict = REFUTED
        bounds = f" ({left(interval[0])} to {left(interval[1])})"
    return Finding(
        verdict=verdict,
        where=when,
        n=len(decay.left),
        sentence=f"{what}: {left(mean)} of the gradient{bounds} reaches {steps} steps back.",
        effect=mean,
        interval=interval,
        link=f"chart-gradient-{when}",
    )


def left(log10_share: float) -> str:
    """A share of a gradient: `62 %`, or `1e-11` where next to nothing is left."""
    share = 10**log10_share
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else f"{share:.0e}"


def _t_interval(values: Sequence[float], level: float) -> Interval | None:
    from scipy import stats

    if len(values) < 2:
        return None
    mean, error = sum(values) / len(values), float(stats.sem(values))
    if not error:
        return mean, mean
    low, high = stats.t.interval(level, len(values) - 1, mean, error)
    return float(low), float(high)
