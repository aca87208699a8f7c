"""The size check: each limit at its edge, each ban, what is exempt, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

import check_size

MODULE = "src/dockyard/planning/thing.py"
COMMAND_MODULE = "src/dockyard/cli/deploy.py"
TEST_MODULE = "tests/unit/test_thing.py"


def findings_of(root: Path, path: str, text: str) -> list[str]:
    """Write one source file and return what is found, without the file's name."""
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    found = [finding for report in check_size.check_tree(root) for finding in report.findings]
    assert {finding.path for finding in found} <= {path}
    return [f"{finding.line}: {finding.text}" for finding in found]


def function_of(lines: int) -> str:
    return "def grow():\n" + "    x = 1\n" * (lines - 1)


def function_nesting(depth: int) -> str:
    header = "def nest(x):\n"
    return header + "".join(f"{'    ' * level}if x:\n" for level in range(1, depth + 1)) + "    " * (depth + 1) + "x()\n"


@pytest.mark.parametrize("path", [MODULE, TEST_MODULE, "tools/thing.py", "examples/one/train.py"])
def test_file_may_have_400_lines_and_no_more(tmp_path: Path, path: str) -> None:
    assert findings_of(tmp_path / "fits", path, "x = 1\n" * 400) == []
    assert findings_of(tmp_path / "large", path, "x = 1\n" * 401) == ["1: file has 401 lines, at most 400"]


@pytest.mark.parametrize("path", [MODULE, TEST_MODULE, "tools/thing.py", "examples/one/train.py"])
def test_function_may_have_50_lines_and_no_more(tmp_path: Path, path: str) -> None:
    assert findings_of(tmp_path / "fits", path, function_of(50)) == []
    assert findings_of(tmp_path / "large", path, "\n" + function_of(51)) == ["2: grow has 51 lines, at most 50"]


@pytest.mark.parametrize(
    "signature",
    ["a, b, c, d, e, f", "a, b, c, d, e, *f", "a, b, c, d, e, *, f", "a, /, b, c, d, e, **f", "a, b, c, d, e, f=1"],
)
def test_sixth_parameter_of_any_kind_is_found(tmp_path: Path, signature: str) -> None:
    assert findings_of(tmp_path, MODULE, f"def take({signature}): ...\n") == ["1: take has 6 parameters, at most 5"]


@pytest.mark.parametrize("own", ["self", "cls"])
def test_methods_own_object_is_not_a_parameter(tmp_path: Path, own: str) -> None:
    assert findings_of(tmp_path, MODULE, f"class A:\n    def take({own}, a, b, c, d, e): ...\n") == []


def test_async_functions_are_measured_too(tmp_path: Path) -> None:
    found = findings_of(tmp_path, MODULE, "async def take(a, b, c, d, e, f): ...\n")
    assert found == ["1: take has 6 parameters, at most 5"]


@pytest.mark.parametrize("decorator", ["@app.command()", "@app.callback(invoke_without_command=True)"])
def test_command_may_have_as_many_options_as_it_needs(tmp_path: Path, decorator: str) -> None:
    assert findings_of(tmp_path, COMMAND_MODULE, f"{decorator}\ndef deploy(a, b, c, d, e, f, g): ...\n") == []


def test_other_functions_of_the_command_line_are_held_to_the_limit(tmp_path: Path) -> None:
    found = findings_of(tmp_path, COMMAND_MODULE, "@cache()\ndef take(a, b, c, d, e, f): ...\n")
    assert found == ["2: take has 6 parameters, at most 5"]


def test_command_decorator_outside_the_command_line_excuses_nothing(tmp_path: Path) -> None:
    found = findings_of(tmp_path, MODULE, "@app.command()\ndef take(a, b, c, d, e, f): ...\n")
    assert found == ["2: take has 6 parameters, at most 5"]


def test_blocks_may_nest_three_deep_and_no_more(tmp_path: Path) -> None:
    assert findings_of(tmp_path / "fits", MODULE, function_nesting(3)) == []
    assert findings_of(tmp_path / "deep", MODULE, function_nesting(4)) == ["1: nest nests 4 blocks deep, at most 3"]


@pytest.mark.parametrize(
    "block",
    [
        "for x in y:\n{}",
        "while y:\n{}",
        "with y:\n{}",
        "try:\n    pass\nexcept E:\n{}",
        "try:\n    pass\nfinally:\n{}",
        "match y:\n  case 1:\n{}",
        "if y:\n    pass\nelse:\n{}",
        "if y:\n    pass\nelif z:\n{}",
    ],
)
def test_every_kind_of_block_counts_as_one_level(tmp_path: Path, block: str) -> None:
    inner = "    if a:\n      if b:\n        if c:\n          d()\n"
    body = "".join(f"    {line}\n" for line in block.format(inner).splitlines())
    assert findings_of(tmp_path, MODULE, f"def nest(y):\n{body}") == ["1: nest nests 4 blocks deep, at most 3"]


def test_long_chain_of_elif_is_one_level(tmp_path: Path) -> None:
    chain = "    if a:\n        x()\n" + "    elif b:\n        x()\n" * 8 + "    else:\n        x()\n"
    assert findings_of(tmp_path, MODULE, f"def choose(a, b):\n{chain}") == []


def test_if_inside_an_else_is_a_level_of_its_own(tmp_path: Path) -> None:
    text = "def f(a):\n if a:\n  x()\n else:\n  if a:\n   if a:\n    if a:\n     x()\n"
    assert findings_of(tmp_path, MODULE, text) == ["1: f nests 4 blocks deep, at most 3"]


def test_function_inside_a_function_is_measured_for_itself(tmp_path: Path) -> None:
    inner = "".join(f"        {line}\n" for line in function_nesting(3).splitlines())
    assert findings_of(tmp_path, MODULE, f"def outer(y):\n    if y:\n{inner}") == []


def test_tests_may_nest_and_take_fixtures_freely(tmp_path: Path) -> None:
    text = "def test(a, b, c, d, e, f, g): ...\n" + function_nesting(5)
    assert findings_of(tmp_path, TEST_MODULE, text) == []


@pytest.mark.parametrize(
    "line",
    [
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import Mock",
        "import mock",
        "mock.patch('a.b')",
        "mocker.patch('a.b')",
        "monkeypatch.setattr(a, 'b', 1)",
        "context.setattr(a, 'b', 1)",
    ],
)
def test_patching_is_found_in_tests(tmp_path: Path, line: str) -> None:
    assert findings_of(tmp_path, TEST_MODULE, f"\n{line}\n") == ["2: tests do not patch; pass a fake"]


@pytest.mark.parametrize(
    "line", ["monkeypatch.setenv('A', 'b')", "monkeypatch.chdir(a)", "import unittest", "# mock.patch", "client.patch(a)"]
)
def test_fakes_environment_and_plain_words_are_no_patching(tmp_path: Path, line: str) -> None:
    assert findings_of(tmp_path, TEST_MODULE, f"{line}\n") == []


def test_printing_is_found_in_the_package(tmp_path: Path) -> None:
    assert findings_of(tmp_path, MODULE, "x = 1\nprint(x)\n") == ["2: only the renderer prints"]


@pytest.mark.parametrize("path", ["src/dockyard/cli/renderer.py", "tools/thing.py", "examples/one/train.py"])
def test_renderer_tools_and_examples_may_print(tmp_path: Path, path: str) -> None:
    assert findings_of(tmp_path, path, "print(1)\n") == []


def test_module_that_only_sounds_like_the_renderer_may_not_print(tmp_path: Path) -> None:
    path = "src/dockyard/usecases/render.py"
    assert findings_of(tmp_path, path, "print(1)\n") == ["1: only the renderer prints"]


def test_file_that_is_not_python_is_a_finding(tmp_path: Path) -> None:
    assert findings_of(tmp_path, MODULE, "x = 1\ndef\n") == ["2: not valid Python: invalid syntax"]


def test_findings_are_printed_with_path_and_line_and_fail_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert findings_of(tmp_path, MODULE, "\nprint(1)\n") != []
    assert check_size.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[0] == f"{MODULE}:2: only the renderer prints"


def test_clean_tree_passes_with_its_medians(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert findings_of(tmp_path, MODULE, function_of(3) + function_of(9) + function_of(4)) == []
    assert check_size.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "src: files 1 (median 16, p95 16, longest 16 lines); functions 3 (median 4, p95 9, longest 9 lines)\n"
    )


def test_file_without_functions_has_nothing_to_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert findings_of(tmp_path, MODULE, "x = 1\n") == []
    assert check_size.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("; functions 0\n")
