"""Which datasets a list shows."""

from dataclasses import dataclass

from datamate.contracts.data_management.datasets import DatasetType


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """What the datasets of a list have in common; what is None does not matter.

    Attributes:
        tag: They carry this tag.
        type: They are of this type.
        created_by: This user made them.
    """

    tag: str | None = None
    type: DatasetType | None = None
    created_by: str | None = None
