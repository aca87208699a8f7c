"""uv's explanations are told apart by what the user can do; addresses in them are not shown."""

from __future__ import annotations

import pytest

from dockyard_image.uv_failure import explain_failure

UNSATISFIABLE = """error: No solution found when resolving dependencies
  cause: Because you require numpy==1.26.0 and numpy>2, we can conclude that your requirements are unsatisfiable.
"""
OLD_STYLE = """  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because there is no version of numpy==9.9 and you require
      numpy==9.9, we can conclude that your requirements are unsatisfiable.
"""
SOURCE_ONLY = """error: No solution found when resolving dependencies
  cause: Because pyspark==3.5.1 has no usable wheels and you require pyspark==3.5.1, we can conclude that …

hint: Wheels are required for `pyspark` because building from source is disabled for all packages (i.e., with `--no-build`)
"""
WRONG_TAGS = """error: No solution found when resolving dependencies
  cause: Because tensorflow==2.3.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you require it
"""
ALL_VERSIONS = "  ╰─▶ Because all versions of docopt have no usable wheels and you require docopt, we can conclude that …"
NOTHING_LISTENS = """error: Request failed after 3 retries in 8.4s
  cause: Failed to fetch: `https://anna:hunter2@index.example/simple/six/`
  cause: error sending request for url (https://anna:hunter2@index.example/simple/six/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
OFFLINE = "error: six was not found in the cache\n  cause: network connectivity is disabled (with `--offline`)"
REFUSED = """error: No solution found when resolving dependencies
  cause: Because six was not found in the package registry and you require six, we can conclude that …
hint: An index URL (https://index.example/simple) could not be queried due to a lack of valid authentication credentials
(401 Unauthorized).
"""


@pytest.mark.parametrize(
    ("stderr", "code", "says"),
    [
        (UNSATISFIABLE, "requirements-unsatisfiable", "Because you require numpy==1.26.0 and numpy>2"),
        (OLD_STYLE, "requirements-unsatisfiable", "no version of numpy==9.9 and you require numpy==9.9"),
        (SOURCE_ONLY, "no-wheel", "pyspark has no wheel"),
        (WRONG_TAGS, "no-wheel", "tensorflow has no wheel"),
        (ALL_VERSIONS, "no-wheel", "docopt has no wheel"),
        (NOTHING_LISTENS, "index-unreachable", "Connection refused"),
        (OFFLINE, "index-unreachable", "network connectivity is disabled"),
        (REFUSED, "index-refused", "credentials"),
        ("", "requirements-unsatisfiable", "cannot be met"),
    ],
)
def test_failure_gets_the_code_that_fits(stderr: str, code: str, says: str) -> None:
    error = explain_failure(stderr)
    assert error.code == code
    assert says in error.message
    assert error.hint


def test_addresses_and_passwords_in_uvs_text_are_not_repeated() -> None:
    error = explain_failure(NOTHING_LISTENS)
    assert "hunter2" not in error.message
    assert "index.example" not in error.message


def test_long_explanation_is_shortened() -> None:
    error = explain_failure(f"error: No solution found when resolving dependencies\n  cause: {'because ' * 500}")
    assert len(error.message) < 800
    assert error.message.endswith("…")
