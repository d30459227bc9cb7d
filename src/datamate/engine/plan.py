"""What a run will do, as plain data: stages of operators with barriers between them. Importing this is cheap."""

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class OperatorPlan:
    """One operator of the plan.

    Attributes:
        place: Its index in the recipe's `process`.
        name: Its name in the recipe.
        label: Its name in counts and reasons; differs from `name` where an operator occurs twice.
        kind: mapper, filter or deduplicator.
        version: The version of its code.
        params: All its parameters, defaults included, as JSON text with sorted keys.
        reads: Columns it reads.
        writes: Columns it writes.
    """

    place: int
    name: str
    label: str
    kind: str
    version: int
    params: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StagePlan:
    """Operators fused into one pass: each batch goes through all of them in memory, and nothing is written between.

    They are not put into one Polars query: on the ten-operator recipe that took 0 to 15 % longer (4 MB batches), and
    what each operator counted and cost could not be told apart any more.

    Attributes:
        index: Its place among the stages, from 0.
        operators: The operators in order; empty where a stage only applies what a deduplicator found.
        barrier: Whether the stage ends with a deduplicator, which must see all partitions before any goes on.
    """

    index: int
    operators: tuple[OperatorPlan, ...]
    barrier: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages of a run, and what their results depend on.

    Attributes:
        stages: At least one.
        columns: Text columns that operators read or write, in order of first use.
        libraries: Versions of the libraries that compute values.
    """

    stages: tuple[StagePlan, ...]
    columns: tuple[str, ...]
    libraries: tuple[tuple[str, str], ...]

    @property
    def operators(self) -> tuple[OperatorPlan, ...]:
        """All operators in recipe order."""
        return tuple(operator for stage in self.stages for operator in stage.operators)

    def key(self, *, input_identity: str, output_format: str, on_error: str) -> str:
        """Return the digest of everything that the result depends on; equal keys give equal output."""
        parts = [
            [[operator.name, operator.version, operator.params] for operator in self.operators],
            self.columns,
            self.libraries,
            input_identity,
            output_format,
            on_error,
        ]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    def describe(self, *, partitions: int) -> str:
        """Return the plan in words, one line for each operator."""
        lines = [f"{partitions} partitions of the input"]
        for stage in self.stages:
            lines.append(f"stage {stage.index + 1}: one pass over each partition")
            if stage.index:
                lines.append("  rows that the deduplicator found are left out")
            lines += [f"  {operator.label} v{operator.version} {operator.params}" for operator in stage.operators]
            if stage.barrier:
                lines.append("barrier: the keys of all partitions are compared")
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """Return the plan as JSON types."""
        return asdict(self)
