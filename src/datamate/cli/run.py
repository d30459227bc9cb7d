"""`datamate run`: run a recipe on local files, without any server."""

import click

from datamate.engine.local.launch import take_host

_HELP = """Run a recipe on local files, without any server.

The recipe is a YAML file; one written for Data-Juicer works as it is. The output is one file (.jsonl or .parquet);
the fate of every row and the rows that could not be processed are in a folder beside it.

\b
Example:
  cat > recipe.yaml <<END
  dataset_path: documents.jsonl
  export_path: clean.jsonl
  process:
    - clean_email_mapper:
    - text_length_filter:
        min_len: 100
    - document_deduplicator:
  END
  datamate run recipe.yaml
"""


@click.command("run", help=_HELP)
@click.argument("recipe", type=click.Path())
@click.option("--dataset-path", metavar="PATH", help="File or folder to read, in place of the recipe's.")
@click.option("--export-path", metavar="PATH", help="File to write, in place of the recipe's.")
@click.option("--np", type=int, metavar="N", help="Worker processes; by default one for each core.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists; start over where a run is unfinished.")
@click.option("--resume", is_flag=True, help="Go on where an unfinished run stopped.")
@click.option("--explain", is_flag=True, help="Check everything and show the plan; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON on stdout, and nothing else there.")
def command(  # noqa: PLR0913 - one parameter for each option
    *,
    recipe: str,
    dataset_path: str | None,
    export_path: str | None,
    np: int | None,
    overwrite: bool,
    resume: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Run a recipe on local files."""
    if overwrite and resume:
        raise click.UsageError("--overwrite starts over and --resume goes on; choose one.")
    # The host imports for a fifth of a second; so it is started before this process imports the rest.
    host = None if explain else take_host()
    from datamate.cli.local_run import LocalRun

    local_run = LocalRun(recipe, dataset_path=dataset_path, export_path=export_path, np=np)
    if host is None:
        local_run.explain(as_json=as_json)
    else:
        local_run.execute(host, overwrite=overwrite, resume=resume, as_json=as_json)
