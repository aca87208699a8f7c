"""Owns `dockyard build`: the image only."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("build")
def build_image(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    push: opt.PushOption = False,
    repository: opt.RepositoryOption = None,
    tag: opt.TagOption = None,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Make a model's image; prints its digest.

    An image that is there already is not made again. With --push it is sent to image.repository of the configuration.
    """
    from dockyard.cli.choices import choose_image_flags, make_build_request

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config, *choose_image_flags(builder, base, repository))
    request = make_build_request(model, settings.image, push=push, tag=tag)
    return session.show(session.open_kit(settings).build(request))
