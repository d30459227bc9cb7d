"""What can be wrong with the embedded engines."""

from datamate.core.errors import ConfigurationError, DatamateError


class EngineMissingError(ConfigurationError):
    """A program that DataMate embeds is not installed."""

    code = "engine_missing"


class EngineFolderError(ConfigurationError):
    """A folder of an embedded engine cannot be used."""

    code = "engine_folder"


class EngineStartError(DatamateError):
    """An embedded engine could not be started."""

    code = "engine_start"
