"""Owns how the results of commands that change a deployment look: `deploy`, `rollback`, `delete`, `promote`."""

from __future__ import annotations

from dockyard.cli.text import clean_text, format_seconds
from dockyard.cli.views.plan import outcome_lines, plan_lines
from dockyard.cli.views.view import View, note_lines
from dockyard.domain.plan import Outcome
from dockyard.domain.result import BatchResult, DeleteResult, DeployResult, PromoteResult, ResultStatus


def view_deploy(result: DeployResult, *, is_verbose: bool) -> View:
    """stdout: the endpoint, or with `--plan` the plan."""
    if result.status is ResultStatus.PLANNED:
        return View(status="planned", out=plan_lines(result.plan), err=(*note_lines(result.notes), "nothing was changed"))
    steps = outcome_lines(result.outcomes) if is_verbose else ()
    out = (result.endpoint,) if result.endpoint else ()
    return View(status=result.status.value, out=out, err=(*steps, *note_lines(result.notes), _tell_deploy(result)))


def view_delete(result: DeleteResult, *, is_verbose: bool) -> View:
    """stdout: the key, or with `--plan` the plan."""
    if result.status is ResultStatus.PLANNED:
        return View(status="planned", out=plan_lines(result.plan), err=(*note_lines(result.notes), "nothing was changed"))
    steps = outcome_lines(result.outcomes) if is_verbose else ()
    return View(
        status=result.status.value, out=(str(result.key),), err=(*steps, *note_lines(result.notes), f"deleted {result.key}")
    )


def view_batch(result: BatchResult, *, is_verbose: bool) -> View:
    """stdout: where the answers are, or with `--plan` the plan."""
    if result.status is ResultStatus.PLANNED:
        return View(status="planned", out=plan_lines(result.plan), err=(*note_lines(result.notes), "nothing was changed"))
    steps = outcome_lines(result.outcomes) if is_verbose else ()
    what = f"transform job {result.job} of {result.key}, {clean_text(result.model.title)}"
    told = {ResultStatus.STARTED: f"started {what}", ResultStatus.UNCHANGED: f"unchanged: {what}, runs already"}
    line = told.get(result.status, f"completed {what}{_tell_time(result.outcomes)}")
    return View(status=result.status.value, out=(clean_text(result.output),), err=(*steps, *note_lines(result.notes), line))


def view_promote(result: PromoteResult) -> View:
    """stdout: the model URI of the alias."""
    alias = f"{result.model.name}@{result.alias}"
    if result.status is ResultStatus.UNCHANGED:
        told = f"unchanged: {alias} points to version {result.version}"
    else:
        before = f", before to version {result.previous_version}" if result.previous_version else ""
        told = f"{alias} points to version {result.version}{before}"
    return View(status=result.status.value, out=(f"models:/{clean_text(alias)}",), err=(clean_text(told),))


def _tell_deploy(result: DeployResult) -> str:
    what = f"revision {result.revision} of {result.key}, {clean_text(result.model.title)}"
    if result.status is ResultStatus.UNCHANGED:
        is_so = "serves already" if result.previous == result.revision else "is on its way already"
        if result.previous != result.revision and result.plan.notes:  # the note tells of what stands beside
            is_so = f"stands beside revision {result.previous}, or in its shadow, or is on its way there, already"
        return f"unchanged: {what}, {is_so}"
    if result.status is ResultStatus.DONE:
        return f"tried {what}, in the shadow of revision {result.previous}, and took it away{_tell_time(result.outcomes)}"
    if result.status is ResultStatus.STARTED and result.plan.notes:
        return f"started {what}, beside revision {result.previous}{_tell_time(result.outcomes)}"
    if result.status is ResultStatus.STARTED:
        return f"started {what}; it does not serve yet, the same command without `--no-wait` goes on and proves it"
    if result.plan.is_shadow:
        return f"{what}, is in the shadow of revision {result.previous}{_tell_time(result.outcomes)}"
    verb = "rolled back to" if result.status is ResultStatus.ROLLED_BACK else "deployed"
    before = f", in place of revision {result.previous}" if result.previous not in {None, result.revision} else ""
    return f"{verb} {what}{before}{_tell_time(result.outcomes)}"


def _tell_time(outcomes: tuple[Outcome, ...]) -> str:
    return f", in {format_seconds(sum(one.seconds for one in outcomes))}" if outcomes else ""
