"""Owns the pages of error codes and exit codes."""

from __future__ import annotations

import inspect

from dockyard.domain import errors
from dockyard.domain.errors import CATALOGUE, DockyardError
from reference_pages.markdown import code, page, table

ABOUT = """
Every error has a code that stays the same, a message that says what failed with which thing, and mostly a hint. On stderr:

    error[model-not-found]: there is no registered model `wine`

    hint: `dockyard doctor` shows which registry is asked

With `--json` the same is in `errors` of the envelope, see [json-output.md](json-output.md). `-v` adds the traceback.
"""
EXIT_CODES = (
    (0, "Done, or nothing was to do."),
    (1, "Failed. What served before serves on."),
    (2, "Wrong usage or configuration, or something that does not exist was named. Nothing was changed."),
    (3, "Partial: the main thing is done, something that follows it is not. `errors` and stderr say what, and what to do."),
    (4, "Changes were found: `drift`, and `--plan --detailed-exitcode`."),
    (130, "Interrupted, by Ctrl-C or SIGTERM. What had been begun was taken back."),
)


def render_errors() -> str:
    """Return the page of error codes."""
    rows = [(f'<a id="{name}"></a>{code(name)}', text) for name, text in sorted(CATALOGUE.items())]
    return page("Errors", ABOUT, "## Codes", table(("code", "meaning"), rows))


def render_exit_codes() -> str:
    """Return the page of exit codes."""
    codes = table(("exit code", "meaning"), [(str(number), text) for number, text in EXIT_CODES])
    families = [
        (code(name), str(one.exit_code), (inspect.getdoc(one) or "").partition("\n")[0])
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, DockyardError)
    ]
    about = "`doctor` exits with 1 where something keeps Dockyard from working, `sync` with 1 where nothing could be sent."
    kinds = table(("kind of error", "exit code", "when"), families)
    return page("Exit codes", codes, about, "## Which error ends with which code", kinds)
