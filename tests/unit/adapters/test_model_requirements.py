"""Requirements are taken as pip reads them, and pip's options stay behind without showing what they hold."""

from __future__ import annotations

import pytest

from dockyard.adapters.model_requirements import parse_requirements


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("numpy==2.1\nscipy>=1,<2\n", ("numpy==2.1", "scipy>=1,<2")),
        ("# all of it\nnumpy # pinned\n\n   \n  scipy  \n", ("numpy", "scipy")),
        ("numpy==2.1\r\nscipy\r\n", ("numpy==2.1", "scipy")),
        ("numpy>=1,\\\n  <2\n", ("numpy>=1,   <2",)),
        ("wheel @ https://example.com/w.whl#sha256=abc\n", ("wheel @ https://example.com/w.whl#sha256=abc",)),
        ("scikit-learn==1.9.1; python_version >= '3.10'\n", ("scikit-learn==1.9.1; python_version >= '3.10'",)),
        ("numpy==2.1 --hash=sha256:abc \\\n    --hash=sha256:def\n", ("numpy==2.1",)),
        ("pandas[excel]==2.2 -C build=x\n", ("pandas[excel]==2.2",)),
    ],
)
def test_requirements_are_kept_as_they_are(text: str, lines: tuple[str, ...]) -> None:
    assert parse_requirements(text).lines == lines


def test_options_are_left_out_and_named() -> None:
    text = (
        "-r more.txt\n-c limits.txt\n--index-url https://ann:canary@example.com/simple\n--extra-index-url=https://canary.example.com\n"
        "-e ./local\n--no-binary :all:\nnumpy --hash=sha256:abc\n"
    )
    requirements = parse_requirements(text)
    assert requirements.lines == ("numpy",)
    assert requirements.ignored_options == ("--extra-index-url", "--hash", "--index-url", "--no-binary", "-c", "-e", "-r")
    (note,) = requirements.notes
    assert "`--index-url`" in note
    assert "canary" not in note


def test_nothing_left_out_is_nothing_to_note() -> None:
    assert parse_requirements("numpy\n").notes == ()
