"""What one commit changes."""

from dataclasses import dataclass, field

from datamate.core.ids import new_id


@dataclass(frozen=True, slots=True)
class Change:
    """What one path will hold.

    Attributes:
        path: Normal form.
        blob_id: Its content; None removes the path.
        size_bytes: Size of the content.
        media_type: What the content is.
        file_id: Id of the file if the path is new; a path that exists keeps its own.
    """

    path: str
    blob_id: int | None
    size_bytes: int = 0
    media_type: str = ""
    file_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """The circumstances of a commit; its changes are stored under its id.

    Attributes:
        id: Names the stored changes.
        created_by: Id of the user.
        message: What the version is about.
        base_version: Refuse if one of the paths changed after this version; None takes whatever is newest.
        replaces_all: Paths that no change names are removed.
        source_run_id: The run that made the changes; a run makes at most one version of a dataset.
    """

    created_by: str
    id: str = field(default_factory=new_id)
    message: str = ""
    base_version: int | None = None
    replaces_all: bool = False
    source_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files some statement touched, and their size."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a commit did to the files of a dataset."""

    added: int
    changed: int
    removed: int
    grown_bytes: int

    @property
    def grown_files(self) -> int:
        """Return how many more files there are now."""
        return self.added - self.removed

    @property
    def files(self) -> int:
        """Return how many files are not what they were."""
        return self.added + self.changed + self.removed

    def and_removed(self, others: Tally) -> "Effect":
        """Return this effect together with the removal of other files."""
        return Effect(
            added=self.added,
            changed=self.changed,
            removed=self.removed + others.files,
            grown_bytes=self.grown_bytes - others.size_bytes,
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of stored changes.

    Attributes:
        effect: What they did.
        absent: How many of them remove a path that does not exist.
    """

    effect: Effect
    absent: int
