"""Owns `dockyard predict`: one request to a deployment's endpoint."""

from __future__ import annotations

from pathlib import Path

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import Session, find_session


@app.command("predict")
def predict_once(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    data: opt.DataOption = None,
    content_type: opt.ContentTypeOption = "application/json",
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Ask a deployment for a prediction; prints the answer.

    Without --data the model's own input example is sent.
    """
    from dockyard.cli.places import Whereabouts, load_key

    session = find_session(context, json=json, verbose=verbose)
    body = None if data is None else _read_body(data, session)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, key = load_key(session, name, where)
    return session.show(session.open_kit(settings).predict(key, body, content_type))


def _read_body(data: str, session: Session) -> bytes:
    """The body that was typed, or the file behind `@`, or with `@-` what comes in on stdin."""
    from dockyard.domain.errors import UsageError

    if not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    if data == "@-":
        return session.stdin.buffer.read()
    try:
        return (session.folder / Path(data[1:]).expanduser()).read_bytes()
    except OSError as error:
        raise UsageError("usage", f"`{data[1:]}` cannot be read: {error.strerror}", hint="check the path after `@`") from error
