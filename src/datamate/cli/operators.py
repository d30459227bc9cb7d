"""`datamate operators`: what the operators do and take."""

from collections.abc import Sequence

import click

from datamate.cli.examples import examples
from datamate.cli.output import json_option, print_fields, print_json_array, print_model, print_table
from datamate.cli.server_options import open_client, url_option
from datamate.contracts.runtime.operators import Operator, OperatorParameter

_PARAMETERS_IN_EXAMPLE = 2
KINDS = ("mapper", "filter", "deduplicator")


@click.group("operators", epilog=examples("datamate operators show text_length_filter"))
def command() -> None:
    """List the operators and show what each one takes.

    Asks the server that you are signed in to; without a sign-in, shows the operators of this installation.
    """


@command.command("list", epilog=examples("datamate operators list", "datamate operators list --kind filter --json"))
@click.option("--kind", type=click.Choice(KINDS), help="Only operators of this kind.")
@json_option
@url_option
def list_operators(*, kind: str | None, as_json: bool, url: str | None) -> None:
    """List the operators."""
    operators = [operator for operator in _catalogue(url) if kind in {None, operator.kind}]
    if as_json:
        print_json_array(operators)
        return
    rows = ((operator.name, operator.kind, operator.summary) for operator in operators)
    print_table(("name", "kind", "what it does"), rows, empty="There are no operators of this kind.")


@command.command("show", epilog=examples("datamate operators show word_repetition_filter"))
@click.argument("name")
@json_option
@url_option
def show_operator(*, name: str, as_json: bool, url: str | None) -> None:
    """Show an operator with its parameters, and how to write it in a recipe."""
    if _is_signed_in(url):
        with open_client(url) as client:
            operator = client.operators.get(name)
    else:
        operator = _local_operator(name)
    if as_json:
        print_model(operator)
    else:
        _print_operator(operator)


def _catalogue(url: str | None) -> Sequence[Operator]:
    if _is_signed_in(url):
        with open_client(url) as client:
            return list(client.operators.list())
    # Operators bring Polars, a third of a second, which a signed-in user need not spend.
    from datamate.operators.registry import operator_names

    return [_local_operator(name) for name in operator_names()]


def _is_signed_in(url: str | None) -> bool:
    """Tell whether to ask a server; if not, say so on stderr, where it does not disturb the output."""
    from datamate.sdk.credentials import CredentialsFile  # only commands that run need it

    if url is not None or CredentialsFile().find() is not None:
        return True
    click.echo("Not signed in: these are the operators of this installation.", err=True)
    return False


def _local_operator(name: str) -> Operator:
    from datamate.operators.registry import describe, get_operator_type  # see _catalogue

    described, spec = describe(name), get_operator_type(name).spec
    parameters = [
        OperatorParameter(
            name=parameter.name,
            type=parameter.type,
            default=parameter.default,
            minimum=parameter.minimum,
            maximum=parameter.maximum,
            description=parameter.description,
        )
        for parameter in described.parameters
    ]
    return Operator(
        name=described.name,
        version=described.version,
        kind=described.kind.value,
        summary=described.summary,
        reads=list(spec.reads),
        writes=list(spec.writes),
        parameters=parameters,
    )


def _print_operator(operator: Operator) -> None:
    print_fields(
        [("name", operator.name), ("kind", operator.kind), ("version", operator.version), ("does", operator.summary)]
    )
    click.echo("\nParameters:")
    rows = ((item.name, item.type, _default(item), _range(item), item.description) for item in operator.parameters)
    print_table(("name", "type", "default", "range", "what it does"), rows, empty="  none")
    click.echo(f"\nIn a recipe:\n{_recipe_lines(operator)}")


def _recipe_lines(operator: Operator) -> str:
    telling = [item for item in operator.parameters if item.minimum is not None or item.maximum is not None]
    lines = ["process:", f"  - {operator.name}:"]
    lines += [f"      {item.name}: {_default(item)}" for item in telling[-_PARAMETERS_IN_EXAMPLE:]]
    return "\n".join(lines)


def _default(parameter: OperatorParameter) -> str:
    match parameter.default:
        case None:
            return "required"
        case bool() as value:
            return str(value).lower()
        case value:
            return str(value)


def _range(parameter: OperatorParameter) -> str:
    if parameter.choices:
        return " | ".join(str(choice) for choice in parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    if low is None and high is None:
        return "-"
    return f"{'' if low is None else f'{low:g}'}…{'' if high is None else f'{high:g}'}"
