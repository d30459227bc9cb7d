"""The commands of `datamate datasets` that move files."""

from itertools import islice
from pathlib import Path
from typing import Literal

import click

from datamate.cli.examples import examples
from datamate.cli.output import (
    count_of,
    format_bytes,
    json_option,
    print_json,
    print_json_array,
    print_model,
    print_table,
)
from datamate.cli.progress import Progress, show_progress
from datamate.cli.server_options import limit_option, open_client, url_option

_HASH_WIDTH = 12

dataset_argument = click.argument("dataset")
version_option = click.option(
    "--version", type=click.IntRange(min=1), metavar="N", help="Which version; the newest if left out."
)


@click.command(
    "upload",
    epilog=examples(
        "datamate datasets upload notes ./notes/",
        'datamate datasets upload notes a.jsonl b.jsonl --into raw --message "Two more files"',
    ),
)
@dataset_argument
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--into", default="", metavar="FOLDER", help="Folder in the dataset to put the files in.")
@click.option("--message", default="", help="What the new version is about.")
@click.option("--replace", is_flag=True, help="Make a version of these files alone; others leave the dataset.")
@json_option
@url_option
def upload_files(  # noqa: PLR0913 - one parameter for each option
    *,
    dataset: str,
    sources: tuple[Path, ...],
    into: str,
    message: str,
    replace: bool,
    as_json: bool,
    url: str | None,
) -> None:
    """Upload files and folders (SOURCES) as one new version; what is there already is not sent again."""
    mode: Literal["merge", "replace"] = "replace" if replace else "merge"
    with open_client(url) as client, show_progress("Uploading", unit="bytes") as progress:
        result = client.datasets.upload(
            dataset,
            sources,
            into=into,
            message=message,
            mode=mode,
            on_progress=lambda state: _show(progress, state.bytes_done, state.bytes_total, state.files_done),
        )
    if as_json:
        print_model(result.version)
    elif result.sent:
        sent, skipped = (
            count_of(result.sent, "file"),
            f", {count_of(result.skipped, 'file')} were there already" if result.skipped else "",
        )
        size = format_bytes(result.bytes_sent)
        click.echo(f"Version {result.version.version} of {dataset}: sent {sent} ({size}){skipped}.")
    else:
        number = result.version.version
        click.echo(f"Nothing to send: version {number} of {dataset} has all {count_of(result.skipped, 'file')}.")


@click.command("files", epilog=examples("datamate datasets files notes --prefix raw/"))
@dataset_argument
@click.option("--prefix", default="", help="Only paths that begin so, such as a folder/.")
@version_option
@limit_option
@json_option
@url_option
def list_files(  # noqa: PLR0913 - one parameter for each option
    *, dataset: str, prefix: str, version: int | None, limit: int, as_json: bool, url: str | None
) -> None:
    """List the files of a dataset, by path."""
    with open_client(url) as client:
        files = islice(client.datasets.files(dataset, version=version, prefix=prefix), limit)
        if as_json:
            print_json_array(files)
            return
        rows = (
            (file.path, format_bytes(file.size_bytes), file.media_type, file.version, file.hash[:_HASH_WIDTH])
            for file in files
        )
        print_table(("path", "size", "type", "since version", "hash"), rows, empty="There are no such files.")


@click.command(
    "download",
    epilog=examples("datamate datasets download notes ./notes/", "datamate datasets download notes old/ --version 3"),
)
@dataset_argument
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--prefix", default="", help="Only paths that begin so, such as a folder/.")
@version_option
@json_option
@url_option
def download_files(  # noqa: PLR0913 - one parameter for each option
    *, dataset: str, folder: Path, prefix: str, version: int | None, as_json: bool, url: str | None
) -> None:
    """Download the files of a dataset into FOLDER, each verified; what is there already is not fetched again."""
    with open_client(url) as client, show_progress("Downloading", unit="bytes") as progress:
        result = client.datasets.download(
            dataset,
            folder,
            version=version,
            prefix=prefix,
            on_progress=lambda state: _show(progress, state.bytes_done, state.bytes_total, state.files_done),
        )
    if as_json:
        print_json(
            {
                "version": result.version,
                "fetched": result.fetched,
                "skipped": result.skipped,
                "bytes_fetched": result.bytes_fetched,
                "folder": str(folder),
            }
        )
        return
    skipped = f", {count_of(result.skipped, 'file')} were there already" if result.skipped else ""
    size = format_bytes(result.bytes_fetched)
    click.echo(f"Version {result.version} of {dataset}: fetched {count_of(result.fetched, 'file')} ({size}){skipped}.")


def _show(progress: Progress, done: int, total: int, files_done: int) -> None:
    progress.update(done, total, count_of(files_done, "file"))
