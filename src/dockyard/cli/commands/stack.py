"""Owns `dockyard stack`: the tracking stack that a team logs its models to, on this machine or in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import Session, find_session

if TYPE_CHECKING:
    from dockyard.usecases.stack import StackDesk

stack_app = make_app("Run the tracking stack that models are logged to.")
app.add_typer(stack_app, name="stack")

StackName = Annotated[str, typer.Option("--name", metavar="NAME", help="The stack; in a cluster, the release.")]
BackupId = Annotated[str, typer.Option("--backup", metavar="ID", help="The backup; by default the newest.", show_default=False)]
ImageOption = Annotated[
    str | None,
    typer.Option("--image", metavar="IMAGE", help="The tracking server's image.", show_default=False),
]
ValuesOption = Annotated[
    list[str] | None,
    typer.Option("--values", metavar="FILE", help="Values for the chart; may be given again.", show_default=False),
]
LocalOption = Annotated[
    bool,
    typer.Option("--local", help="On this machine: containers with MySQL and S3, or without Docker a server with SQLite."),
]
ExternalOption = Annotated[
    str | None,
    typer.Option(
        "--external",
        metavar="FILE",
        help="In a cluster, with the database and S3 that FILE names: values for the chart, such as Terraform's outputs.",
        show_default=False,
    ),
]
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=65535,
        metavar="PORT",
        help="Where a local one listens, on loopback; by default the one it has, else 5050.",
        show_default=False,
    ),
]
NAME, CHART = "tracking", "helm/tracking"


@stack_app.command("up")
def start_stack(
    context: typer.Context,
    *,
    local: LocalOption = False,
    k8s: Annotated[bool, typer.Option("--k8s", help="In a cluster, by the chart and Helm.")] = False,
    external: ExternalOption = None,
    name: StackName = NAME,
    port: PortOption = None,
    runtime: opt.RuntimeOption = None,
    chart: Annotated[str, typer.Option("--chart", metavar="CHART", help="The chart: a folder or an OCI address.")] = CHART,
    image: ImageOption = None,
    values: ValuesOption = None,
    cluster: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring a stack up and print what points MLflow's clients to it.

    Use it as `eval "$(dockyard stack up --local)"`. A stack that is up already stays as it is.
    """
    from dockyard.cli.stack_choices import StackChoice, make_wish

    session = find_session(context, json=json, verbose=verbose)
    choice = StackChoice(
        local=local,
        k8s=k8s,
        external=external,
        name=name,
        port=port,
        runtime=runtime,
        chart=chart,
        image=image,
        values=tuple(values or ()),
        context=cluster,
        namespace=namespace,
    )
    return session.show(_open(session, config).up(make_wish(choice, session.folder)))


@stack_app.command("status")
def show_status(
    context: typer.Context,
    *,
    name: StackName = NAME,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Say whether a stack is up and ready, and print what points MLflow's clients to it."""
    session = find_session(context, json=json, verbose=verbose)
    return session.show(_open(session, config).status(name))


@stack_app.command("logs")
def show_logs(
    context: typer.Context,
    *,
    name: StackName = NAME,
    tail: opt.TailOption = 100,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show what the servers of a stack have logged."""
    from dockyard.cli.render import show_lines
    from dockyard.domain.result import StackLogsResult

    session = find_session(context, json=json, verbose=verbose)
    lines = _open(session, config).logs(name, tail)
    return session.show(StackLogsResult(name=name, lines=lines)) if json else show_lines(iter(lines), session)


@stack_app.command("migrate")
def migrate_stack(
    context: typer.Context,
    *,
    name: StackName = NAME,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring the database of a stack to what its server needs."""
    session = find_session(context, json=json, verbose=verbose)
    return session.show(_open(session, config).run(name, "migrate"))


@stack_app.command("upgrade")
def upgrade_stack(
    context: typer.Context,
    *,
    name: StackName = NAME,
    image: ImageOption = None,
    values: ValuesOption = None,
    without_backup: Annotated[bool, typer.Option("--without-backup", help="Do not take a backup first.")] = False,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring a stack to another image or other values, after a backup."""
    from dockyard.cli.stack_choices import find_values

    session = find_session(context, json=json, verbose=verbose)
    files = find_values(tuple(values or ()), session.folder)
    return session.show(_open(session, config).upgrade(name, image, files, with_backup=not without_backup))


@stack_app.command("backup")
def back_up_stack(
    context: typer.Context,
    *,
    name: StackName = NAME,
    shows_list: Annotated[bool, typer.Option("--list", help="List the backups, and take none.")] = False,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Take a backup of a stack's database and artifacts."""
    session = find_session(context, json=json, verbose=verbose)
    return session.show(_open(session, config).run(name, "backups" if shows_list else "backup"))


@stack_app.command("restore")
def restore_stack(
    context: typer.Context,
    *,
    name: StackName = NAME,
    backup: BackupId = "",
    verify: Annotated[bool, typer.Option("--verify", help="Only prove the backup; restore nothing.")] = False,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring a backup back into an empty stack."""
    session = find_session(context, json=json, verbose=verbose)
    return session.show(_open(session, config).run(name, "verify" if verify else "restore", backup))


@stack_app.command("down")
def stop_stack(
    context: typer.Context,
    *,
    name: StackName = NAME,
    delete_data: Annotated[bool, typer.Option("--delete-data", help="Delete what the stack keeps, but its backups.")] = False,
    confirmed: Annotated[
        str | None,
        typer.Option("--yes-delete-data", metavar="NAME", help="Say it again, with the stack's name.", show_default=False),
    ] = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Stop a stack. Its data stay, unless that is said twice."""
    session = find_session(context, json=json, verbose=verbose)
    return session.show(_open(session, config).down(name, delete_data=delete_data, confirmed=confirmed))


def _open(session: Session, config: str | None) -> StackDesk:
    from dockyard.wiring_stack import open_stacks

    return open_stacks(session.load_settings(config), session.folder)
