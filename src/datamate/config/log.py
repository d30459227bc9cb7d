"""What the processes write about themselves."""

from typing import Literal

from pydantic import Field

from datamate.config.section import Section


class LogSettings(Section):
    """`DATAMATE_LOG__*`."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["json", "console"] = Field("json", description="json for machines, console for people.")
