"""`params.yaml` as typed, documented models.

Everything a study is allowed to say is declared here (or, for a source's own options, in
that source's file). Anything else is refused with the key's path and what is allowed.
"""

from gatewise.config.evidence import CompareConfig, Rounds
from gatewise.config.gate import GateBudgets, GateConfig, GateData, GateSlices
from gatewise.config.objectives import (
    ObjectiveOptions,
    objective_class,
    objective_kinds,
)
from gatewise.config.probes import ProbeConfig
from gatewise.config.seeds import SEEDS_LOCK, Reached, reached
from gatewise.config.strict import SPLITS, Count, Strict, suggest
from gatewise.config.study import Study, explain, load, load_operation, parse
from gatewise.config.tasks import (
    Augment,
    Frames,
    LogMel,
    Mfcc,
    ModelOverrides,
    Pixels,
    Series,
    SourceOptions,
    SpecAugment,
    Spectral,
    SplitConfig,
    TaskConfig,
    Tokens,
    TrainOverrides,
    source_class,
    source_kinds,
)
from gatewise.config.training import ExecutionConfig, TrackingConfig, TrainConfig
from gatewise.config.tuning import Range, TuningConfig, TuningOverrides
from gatewise.config.variants import Match, VariantConfig

__all__ = [
    "SEEDS_LOCK",
    "SPLITS",
    "Augment",
    "CompareConfig",
    "Count",
    "ExecutionConfig",
    "Frames",
    "GateBudgets",
    "GateConfig",
    "GateData",
    "GateSlices",
    "LogMel",
    "Match",
    "Mfcc",
    "ModelOverrides",
    "ObjectiveOptions",
    "Pixels",
    "ProbeConfig",
    "Range",
    "Reached",
    "Rounds",
    "Series",
    "SourceOptions",
    "SpecAugment",
    "Spectral",
    "SplitConfig",
    "Strict",
    "Study",
    "TaskConfig",
    "Tokens",
    "TrackingConfig",
    "TrainConfig",
    "TrainOverrides",
    "TuningConfig",
    "TuningOverrides",
    "VariantConfig",
    "explain",
    "load",
    "load_operation",
    "objective_class",
    "objective_kinds",
    "parse",
    "reached",
    "source_class",
    "source_kinds",
    "suggest",
]
