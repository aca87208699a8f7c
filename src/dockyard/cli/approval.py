"""Owns asking before something goes away, or is made that outlives a deployment's revisions: a role, an image repository."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dockyard.domain.errors import CancelledError, UsageError
from dockyard.domain.sagemaker_steps import CreateRepository, CreateRole

if TYPE_CHECKING:
    from dockyard.cli.session import Session
    from dockyard.domain.plan import Plan


def ask_for_supplies(session: Session, allowed_by: str = "`--yes`") -> Callable[[Plan], None]:
    """Return what lets a plan pass that makes neither, asks at a terminal, and elsewhere wants what `allowed_by` names.

    It raises CancelledError for a no, UsageError `consent-needed` where nobody can be asked.
    """

    def approve(plan: Plan) -> None:
        made = [step.describe() for step in plan.steps if isinstance(step, CreateRepository | CreateRole)]
        if not made:
            return
        if not session.stdin.isatty():
            raise UsageError(
                "consent-needed",
                f"this would {' and '.join(made)}",
                hint=f"`--plan` shows it, {allowed_by} allows it; `role` in dockyard.yaml names a role that is there",
            )
        require_yes(session, plan, f"go on with {plan.key}?", refused=f"nothing was done for {plan.key}")

    return approve


def require_yes(session: Session, plan: Plan, question: str, *, refused: str) -> None:
    """Show a plan and ask; go on only for a yes. Raises CancelledError, whose message is `refused`."""
    from dockyard.cli.render import show_aside
    from dockyard.cli.views.plan import plan_lines

    show_aside("".join(f"{line}\n" for line in plan_lines(plan)) + f"{question} [y/N] ", session)
    if session.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CancelledError("cancelled", refused, hint="answer `y`, or give `--yes`")
