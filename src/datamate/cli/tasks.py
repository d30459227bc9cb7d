"""`datamate tasks`: the work of a server that outlives a request."""

from itertools import islice
from typing import TYPE_CHECKING

import click

from datamate.cli.examples import examples
from datamate.cli.output import format_time, json_option, print_fields, print_json_array, print_model, print_table
from datamate.cli.progress import show_progress
from datamate.cli.server_options import limit_option, open_client, url_option
from datamate.contracts.main.tasks import FINAL_STATUSES, Task, TaskStatus

if TYPE_CHECKING:
    from datamate.cli.progress import Progress


@click.group("tasks", epilog=examples("datamate tasks list --status running"))
def command() -> None:
    """List, follow and cancel the tasks of a server."""


@command.command("list", epilog=examples("datamate tasks list --status failed --limit 10"))
@click.option("--status", type=click.Choice([status.value for status in TaskStatus]), help="Only tasks in this state.")
@click.option("--kind", help="Only tasks of this kind, such as runtime.run.")
@limit_option
@json_option
@url_option
def list_tasks(*, status: str | None, kind: str | None, limit: int, as_json: bool, url: str | None) -> None:
    """List tasks, newest first."""
    with open_client(url) as client:
        tasks = islice(client.tasks.list(status=TaskStatus(status) if status else None, kind=kind), limit)
        if as_json:
            print_json_array(tasks)
            return
        rows = ((task.id, task.kind, task.status, task.attempt, task.created_at) for task in tasks)
        print_table(("id", "kind", "status", "attempts", "created"), rows, empty="There are no such tasks.")


@command.command("show", epilog=examples("datamate tasks show 019abc01-2345-7abc-8def-0123456789ab"))
@click.argument("task_id")
@json_option
@url_option
def show_task(*, task_id: str, as_json: bool, url: str | None) -> None:
    """Show one task."""
    with open_client(url) as client:
        _print_task(client.tasks.get(task_id), as_json=as_json)


@command.command("watch", epilog=examples("datamate tasks watch 019abc01-2345-7abc-8def-0123456789ab"))
@click.argument("task_id")
@json_option
@url_option
def watch_task(*, task_id: str, as_json: bool, url: str | None) -> None:
    """Follow a task until it has ended; the exit code is 0 if it succeeded.

    With --json, prints the task at every change, one JSON document a line.
    """
    task = None
    with open_client(url) as client, show_progress("Task", unit="units") as progress:
        for task in client.tasks.watch(task_id):
            if as_json:
                click.echo(task.model_dump_json())
            _show(progress, task)
    if task is not None and not as_json:
        _print_task(task, as_json=False)
    if task is None or task.status is not TaskStatus.SUCCEEDED:
        raise click.exceptions.Exit(1)


@command.command("cancel", epilog=examples("datamate tasks cancel 019abc01-2345-7abc-8def-0123456789ab"))
@click.argument("task_id")
@json_option
@url_option
def cancel_task(*, task_id: str, as_json: bool, url: str | None) -> None:
    """Ask a task to stop; one that has ended stays as it is."""
    with open_client(url) as client:
        task = client.tasks.cancel(task_id)
    if as_json:
        print_model(task)
    elif task.status in FINAL_STATUSES:
        click.echo(f"Task {task.id} had ended already: {task.status}.")
    else:
        click.echo(f"Task {task.id} will stop; follow it with: datamate tasks watch {task.id}")


def _show(progress: "Progress", task: Task) -> None:
    if task.progress is None:
        progress.update(0, None, task.status)
    else:
        state = task.progress
        progress.update(state.done, state.total, state.message or str(task.status), unit=state.unit)


def _print_task(task: Task, *, as_json: bool) -> None:
    if as_json:
        print_model(task)
        return
    error = f"{task.error.message} ({task.error.code})" if task.error else None
    print_fields(
        [
            ("id", task.id),
            ("kind", task.kind),
            ("status", task.status),
            ("attempts", f"{task.attempt} of {task.max_attempts}"),
            ("created", format_time(task.created_at)),
            ("started", format_time(task.started_at)),
            ("finished", format_time(task.finished_at)),
            ("error", error),
        ]
    )
