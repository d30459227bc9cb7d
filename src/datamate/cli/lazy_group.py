"""A command group that imports a command's module only when that command is called."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command is, and its line in the list of commands.

    Attributes:
        module: The module whose attribute `command` is the command.
        summary: What it does, in one line; listing commands imports none of them.
    """

    module: str
    summary: str


class LazyGroup(click.Group):
    """A group whose commands are named in a table."""

    def __init__(
        self, name: str, entries: Mapping[str, CommandEntry], *, description: str, params: Sequence[click.Parameter]
    ) -> None:
        """Make a group.

        Args:
            name: What it is called.
            entries: Its commands in the order in which help lists them.
            description: What it is for, with an example.
            params: Options of the group itself.
        """
        super().__init__(
            name, help=description, params=list(params), context_settings={"help_option_names": ["-h", "--help"]}
        )
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the order of the table."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return a command, or None if the table does not name it."""
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to call; an unknown name is answered with those that come near."""
        name = args[0]
        if not name.startswith("-") and name not in self._entries and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(name, possibilities=self._entries, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])
