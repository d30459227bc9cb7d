"""What can be wrong with content that arrives."""

from datamate.core.errors import InvalidInputError


class ChecksumMismatchError(InvalidInputError):
    """The content does not match the checksum that came with it; send it again."""

    code = "checksum_mismatch"


class SizeMismatchError(InvalidInputError):
    """The content does not have the size that was announced; send it again."""

    code = "size_mismatch"
