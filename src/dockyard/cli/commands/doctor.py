"""Owns `dockyard doctor`: what keeps Dockyard from working here, and how to mend it."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("doctor")
def examine_surroundings(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Look at what Dockyard needs here.

    And say how to mend what is amiss. Exits with 1 where something keeps it from working.
    """
    from dockyard.adapters.checks import examine_configuration
    from dockyard.domain.result import DoctorResult

    session = find_session(context, json=json, verbose=verbose)
    settings, finding = examine_configuration(session.surroundings(config))
    findings = session.open_kit(settings).doctor().findings
    return session.show(DoctorResult(findings=(finding, *findings)))
