"""Opens a partition of the input whatever the kind of its file, and samples the input before a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from datamate.engine.errors import BadRowError, UnreadableInputError
from datamate.engine.formats.batch import Batch
from datamate.engine.formats.compression import ByteSource, open_source
from datamate.engine.formats.delimited import header_of, read_delimited
from datamate.engine.formats.documents import SOURCE_COLUMN, read_documents
from datamate.engine.formats.json_text import parse_object, type_name
from datamate.engine.formats.jsonl import read_jsonl, whole_lines
from datamate.engine.formats.kinds import FileKind
from datamate.engine.inputs import InputFile, open_input
from datamate.engine.partitions import Partition

_SAMPLED_ROWS = 100
_SAMPLED_BYTES = 1 << 20


def read_partition(
    files: Sequence[InputFile], partition: Partition, columns: Sequence[str], *, text_column: str
) -> Iterator[Batch]:
    """Yield the rows of a partition in batches of bounded size.

    Args:
        files: All files of the input.
        partition: The part to read.
        columns: The text columns wanted; rows without are bad.
        text_column: What to call the text of documents.

    Raises:
        UnreadableInputError: The file is gone or broken.
    """
    file = files[partition.file]
    if file.kind.is_document:
        yield from read_documents(files, partition.start, partition.end, columns, text_column=text_column)
        return
    with open_input(file) as reader:
        if file.kind is FileKind.PARQUET:
            # PyArrow takes a tenth of a second to import, which runs without Parquet need not wait for.
            from datamate.engine.formats.parquet import read_parquet

            groups = range(partition.start, partition.end)
            yield from read_parquet(reader, file, columns, groups=groups, first_ordinal=partition.first_ordinal)
            return
        source = open_source(file, reader, partition.start, partition.end)
        if file.kind is FileKind.JSONL:
            yield from read_jsonl(source, columns, first_ordinal=partition.first_ordinal)
        else:
            yield from read_delimited(source, columns, kind=file.kind, name=file.name)


@dataclass(frozen=True, slots=True)
class SampledColumns:
    """What a sample of the input shows about its columns.

    Attributes:
        texts: Columns that can hold text.
        others: Columns that hold something else, with what that is.
    """

    texts: frozenset[str]
    others: dict[str, str]

    def problem(self, column: str) -> str | None:
        """Return why a column cannot be used as text, or None if it can."""
        if column in self.texts:
            return None
        if column in self.others:
            return f"column '{column}' holds {self.others[column]}, not text"
        names = ", ".join(sorted({*self.texts, *self.others})) or "none"
        return f"the data has no column '{column}'; its columns are: {names}"


def sample_columns(files: Sequence[InputFile], text_column: str) -> SampledColumns | None:
    """Return the columns of the input as its first rows have them, or None if no row can be read.

    Raises:
        UnreadableInputError: A file cannot be read, or Parquet files have different columns.
    """
    if files and files[0].kind is FileKind.PARQUET:
        return _sample_parquet(files)
    texts: set[str] = set()
    others: dict[str, str] = {}
    for file in files:
        if file.kind.is_document:
            texts |= {text_column, SOURCE_COLUMN}
        elif file.size_bytes:
            with open_input(file) as reader:
                _sample_file(file, open_source(file, reader, 0, reader.size_bytes), texts, others)
        if texts:
            break
    return SampledColumns(frozenset(texts), others) if texts or others else None


def _sample_file(file: InputFile, source: ByteSource, texts: set[str], others: dict[str, str]) -> None:
    if file.kind is not FileKind.JSONL:
        texts.update(header_of(source, kind=file.kind, name=file.name))
        return
    lines, _ = next(whole_lines(source, _SAMPLED_BYTES), ([], 0))
    if lines and _begins_array_of_rows(lines[0]):
        raise UnreadableInputError(
            f"{file.name} holds one JSON array; rows are read one object per line. "
            f"Convert it with: jq -c '.[]' {file.name} > rows.jsonl"
        )
    for line in islice(lines, _SAMPLED_ROWS):
        try:
            row = parse_object(line)
        except BadRowError:
            continue
        for column, value in row.items():
            if isinstance(value, str) or value is None:
                texts.add(column)
            else:
                others[column] = type_name(value)


def _begins_array_of_rows(line: bytes) -> bool:
    """Tell a document that is one array of rows from lines of which the first happens to be an array."""
    start = line.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"["):
        return False
    try:
        parse_object(start)
    except BadRowError as error:
        return error.code == "bad_json" or start[1:].lstrip().startswith(b"{")
    return False


def _sample_parquet(files: Sequence[InputFile]) -> SampledColumns:
    from datamate.engine.formats.arrow_rows import is_text
    from datamate.engine.formats.parquet import schema_of

    schema = schema_of(files[0])
    for file in files[1:]:
        if not schema_of(file).equals(schema):
            raise UnreadableInputError(
                f"{file.name} has other columns or types than {files[0].name}; run them one after the other."
            )
    fields = [schema.field(place) for place in range(len(schema))]
    texts = frozenset(field.name for field in fields if is_text(field.type))
    return SampledColumns(texts, {field.name: str(field.type) for field in fields if field.name not in texts})
