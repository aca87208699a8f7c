"""Owns `dockyard sandbox`: an AWS account on this machine, to develop against and to try deployments out."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import Session, find_session

if TYPE_CHECKING:
    from dockyard.adapters.sandbox import SandboxDaemon, SandboxState
    from dockyard.domain.result import ResultStatus, SandboxResult

sandbox_app = make_app("Stand in for AWS on this machine, with real containers.")
app.add_typer(sandbox_app, name="sandbox")

PORT = 5566


class RunnerChoice(str, Enum):
    """What runs containers."""

    AUTO = "auto"
    DOCKER = "docker"
    UNPACKED = "unpacked"


@sandbox_app.command("up")
def start_sandbox(
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where it listens on loopback; 0: a free port.")] = PORT,
    runner: Annotated[
        RunnerChoice,
        typer.Option("--runner", help="What runs containers: Docker, or processes out of unpacked images."),
    ] = RunnerChoice.AUTO,
    region: Annotated[str, typer.Option("--region", help="The region that clients are pointed to.")] = "us-east-1",
    speed: Annotated[
        float, typer.Option("--speed", min=1, help="How many of AWS's seconds pass in one, for states of endpoints.")
    ] = 60,
    startup_speed: Annotated[
        float, typer.Option("--startup-speed", min=1, help="The same for the time that a container has to become healthy.")
    ] = 4,
    containers: Annotated[
        int, typer.Option("--containers", min=1, help="How many containers a variant really gets; its instances share them.")
    ] = 1,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Start the sandbox, and print what points AWS's clients to it.

    Use it as `eval "$(dockyard sandbox up)"`. A sandbox that is up already stays as it is.
    """
    from dockyard.adapters.sandbox import SandboxSetup, find_engine_variables
    from dockyard.domain.result import ResultStatus

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    setup = SandboxSetup(
        port=port,
        runner=runner.value,
        region=region,
        speed=speed,
        startup_speed=startup_speed,
        containers=containers,
        cache=str(settings.cache_home / "sandbox"),
        engine=find_engine_variables(session.environ),
    )
    state, was_started = _open(session, config).start(setup)
    status = ResultStatus.DONE if was_started else ResultStatus.UNCHANGED
    return session.show(_tell(state, status, tells_environment=True))


@sandbox_app.command("env")
def show_environment(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Print what points AWS's clients to the sandbox that is up."""
    from dockyard.domain.result import ResultStatus

    session = find_session(context, json=json, verbose=verbose)
    return session.show(_tell(_open(session, config).require(), ResultStatus.DONE, tells_environment=True))


@sandbox_app.command("status")
def show_status(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Say whether the sandbox is up, and where."""
    from dockyard.domain.result import ResultStatus, SandboxResult

    session = find_session(context, json=json, verbose=verbose)
    state = _open(session, config).find()
    if state is None:
        return session.show(SandboxResult(status=ResultStatus.UNCHANGED, is_up=False))
    return session.show(_tell(state, ResultStatus.DONE, tells_environment=False))


@sandbox_app.command("down")
def stop_sandbox(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Stop the sandbox and remove everything in it, containers included."""
    from dockyard.domain.result import ResultStatus, SandboxResult

    session = find_session(context, json=json, verbose=verbose)
    was_up = _open(session, config).stop()
    return session.show(SandboxResult(status=ResultStatus.DONE if was_up else ResultStatus.UNCHANGED, is_up=False))


def _open(session: Session, config: str | None) -> SandboxDaemon:
    from dockyard.adapters.sandbox import SandboxDaemon

    return SandboxDaemon(session.load_settings(config).state_home / "sandbox")


def _tell(state: SandboxState, status: ResultStatus, *, tells_environment: bool) -> SandboxResult:
    from dockyard.domain.result import SandboxResult

    environment = state.environment if tells_environment else None
    return SandboxResult(status=status, is_up=True, url=state.url, runner=state.runner, environment=environment)
