"""Why the platform does not start."""

from datamate.core.errors import ConfigurationError, ConflictError, DatamateError


class HomeInUseError(ConflictError):
    """DataMate already runs on this folder."""

    code = "home_in_use"


class HomeFolderError(ConfigurationError):
    """DATAMATE_HOME cannot be used."""

    code = "home_folder"


class PortInUseError(ConfigurationError):
    """Another process listens on a port that DataMate needs."""

    code = "port_in_use"


class ProcessStartError(DatamateError):
    """A process of the platform did not start."""

    code = "process_start"
