"""The data_management service: datasets, their files, uploads and versions."""

from datamate.clients.caller import Caller
from datamate.clients.data_management.datasets import DatasetCalls
from datamate.clients.data_management.files import Download, FileCalls
from datamate.clients.data_management.uploads import UploadCalls
from datamate.clients.data_management.versions import VersionCalls
from datamate.clients.transport import Transport

__all__ = ["DataManagementClient", "Download"]


class DataManagementClient(DatasetCalls, FileCalls, UploadCalls, VersionCalls):
    """Typed calls of the data_management service; every one raises the `DatamateError` that the service raised."""

    def __init__(self, transport: Transport, *, deadline_seconds: float = 30.0) -> None:
        super().__init__(Caller(transport, deadline_seconds=deadline_seconds))
