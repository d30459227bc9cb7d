"""The examples at the end of a command's help."""


def examples(*lines: str) -> str:
    r"""Return the `epilog` of a command: its examples, one a line, not wrapped (which is what click's \b asks for)."""
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])
