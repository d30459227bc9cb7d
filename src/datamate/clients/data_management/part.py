"""What the parts of the client have in common."""

from datamate.clients.caller import Caller, segment


class ClientPart:
    """A part of the client: the calls of one feature."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller


def dataset_path(dataset_id: str, *rest: str | int) -> str:
    """Return the path of a dataset, or of something below it."""
    return "/".join(["/data-management/datasets", segment(dataset_id), *(segment(part) for part in rest)])
