"""`datamate datasets`: the datasets of a server, their files and versions."""

from itertools import islice

import click

from datamate.cli.dataset_files import (
    dataset_argument,
    download_files,
    list_files,
    upload_files,
    version_option,
)
from datamate.cli.examples import examples
from datamate.cli.output import (
    format_bytes,
    format_time,
    json_option,
    print_fields,
    print_json_array,
    print_model,
    print_table,
)
from datamate.cli.server_options import limit_option, open_client, url_option
from datamate.contracts.data_management.datasets import Dataset, DatasetType


@click.group("datasets", epilog=examples("datamate datasets create notes", "datamate datasets upload notes ./notes/"))
def command() -> None:
    """List, create, upload, download and delete datasets.

    A DATASET is given by its name or its id.
    """


@command.command("list", epilog=examples("datamate datasets list --tag news"))
@click.option("--tag", help="Only datasets that carry this tag.")
@limit_option
@json_option
@url_option
def list_datasets(*, tag: str | None, limit: int, as_json: bool, url: str | None) -> None:
    """List datasets, newest first."""
    with open_client(url) as client:
        datasets = islice(client.datasets.list(tag=tag), limit)
        if as_json:
            print_json_array(datasets)
            return
        rows = (
            (
                dataset.name,
                dataset.type,
                dataset.version,
                dataset.file_count,
                format_bytes(dataset.size_bytes),
                dataset.updated_at,
                dataset.id,
            )
            for dataset in datasets
        )
        print_table(
            ("name", "type", "version", "files", "size", "changed", "id"),
            rows,
            empty="There are no datasets; make one with: datamate datasets create NAME",
        )


@command.command("show", epilog=examples("datamate datasets show notes"))
@dataset_argument
@json_option
@url_option
def show_dataset(*, dataset: str, as_json: bool, url: str | None) -> None:
    """Show a dataset."""
    with open_client(url) as client:
        found = client.datasets.get(dataset)
    if as_json:
        print_model(found)
    else:
        _print_dataset(found)


@command.command("create", epilog=examples('datamate datasets create notes --description "Notes of 2026" --tag notes'))
@click.argument("name")
@click.option("--description", default="", help="What it holds.")
@click.option(
    "--type",
    "dataset_type",
    type=click.Choice([kind.value for kind in DatasetType]),
    default=DatasetType.TEXT.value,
    show_default=True,
    help="What its files are.",
)
@click.option("--tag", "tags", multiple=True, help="A word to find it by; may be given more than once.")
@json_option
@url_option
def create_dataset(  # noqa: PLR0913 - one parameter for each option
    *, name: str, description: str, dataset_type: str, tags: tuple[str, ...], as_json: bool, url: str | None
) -> None:
    """Create an empty dataset."""
    with open_client(url) as client:
        dataset = client.datasets.create(name, description=description, dataset_type=dataset_type, tags=tags)
    if as_json:
        print_model(dataset)
    else:
        click.echo(
            f"Created dataset {dataset.name} ({dataset.id}).\nTry next: datamate datasets upload {dataset.name} FOLDER"
        )


@command.command("versions", epilog=examples("datamate datasets versions notes"))
@dataset_argument
@limit_option
@json_option
@url_option
def list_versions(*, dataset: str, limit: int, as_json: bool, url: str | None) -> None:
    """List the versions of a dataset, newest first."""
    with open_client(url) as client:
        versions = islice(client.datasets.versions(dataset), limit)
        if as_json:
            print_json_array(versions)
            return
        rows = (
            (
                str(version.version),
                version.file_count,
                format_bytes(version.size_bytes),
                f"+{version.added} ~{version.changed} -{version.removed}",
                version.created_at,
                version.source_run_id,
                version.message,
            )
            for version in versions
        )
        print_table(
            ("version", "files", "size", "changes", "made", "by run", "message"),
            rows,
            empty=f"{dataset} has no version yet; upload some files.",
        )


@command.command("lineage", epilog=examples("datamate datasets lineage clean-notes"))
@dataset_argument
@version_option
@json_option
@url_option
def show_lineage(*, dataset: str, version: int | None, as_json: bool, url: str | None) -> None:
    """Show what a version was made from, nearest first."""
    with open_client(url) as client:
        lineage = client.datasets.lineage(dataset, version)
    if as_json:
        print_model(lineage)
        return
    rows = (
        (
            f"{edge.target.dataset_name} version {edge.target.version}",
            f"{edge.source.dataset_name} version {edge.source.version}",
            edge.run_id,
        )
        for edge in lineage.edges
    )
    origin = f"{lineage.version.dataset_name} version {lineage.version.version} was uploaded, not made by a run."
    print_table(("this", "was made from", "by run"), rows, empty=origin)


@command.command("delete", epilog=examples("datamate datasets delete notes"))
@dataset_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@url_option
def delete_dataset(*, dataset: str, yes: bool, url: str | None) -> None:
    """Delete a dataset with all its versions."""
    with open_client(url) as client:
        found = client.datasets.get(dataset)
        if not yes:
            click.confirm(f"Delete {found.name} with its {found.version} versions?", abort=True, err=True)
        client.datasets.delete(found)
    click.echo(f"Deleted dataset {found.name}.")


def _print_dataset(dataset: Dataset) -> None:
    print_fields(
        [
            ("id", dataset.id),
            ("name", dataset.name),
            ("type", dataset.type),
            ("description", dataset.description or None),
            ("tags", ", ".join(dataset.tags) or None),
            ("version", dataset.version),
            ("files", dataset.file_count),
            ("size", format_bytes(dataset.size_bytes)),
            ("created", format_time(dataset.created_at)),
            ("changed", format_time(dataset.updated_at)),
        ]
    )


for _file_command in (upload_files, list_files, download_files):
    command.add_command(_file_command)
