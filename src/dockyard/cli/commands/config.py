"""Owns `dockyard config`: the configuration as it counts, its schema, and whether a file is valid."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import find_session

config_app = make_app("Show and check the configuration.")
app.add_typer(config_app, name="config")


@config_app.command("show")
def show_config(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show every value and where it came from; secrets as ***."""
    from dockyard.domain.result import ConfigResult

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    file = str(settings.config_file) if settings.config_file else None
    return session.show(ConfigResult(file=file, values=settings.provenance))


@config_app.command("schema")
def show_schema(
    context: typer.Context,
    *,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Print the JSON Schema of dockyard.yaml, for editors and checks."""
    from dockyard.adapters.config_schema import make_schema
    from dockyard.domain.result import SchemaResult

    session = find_session(context, json=json, verbose=verbose)
    return session.show(SchemaResult(schema=make_schema()))


@config_app.command("validate")
def validate_config(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Check the configuration; tells all problems at once and contacts nothing."""
    from dockyard.domain.result import ValidationResult

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    file = str(settings.config_file) if settings.config_file else None
    names = tuple(environment.name for environment in settings.environments)
    return session.show(ValidationResult(file=file, environments=names))
