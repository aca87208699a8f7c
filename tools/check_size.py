"""Checks the limits of the house style that ruff does not know, and says how large the code is.

Owns the limits on files, functions, parameters and nesting, and the bans on patching (in tests) and on printing (in the
package). Reads source files only; it must not change them or import what it checks.

    python tools/check_size.py [ROOT]      findings as path:line, a summary, exit code 1 where there is a finding
"""

from __future__ import annotations

import argparse
import ast
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
COMMAND_DECORATORS = frozenset({"command", "callback"})
MOCKS = frozenset({"mock", "unittest.mock"})
PATCHING = "tests do not patch; pass a fake"
PRINTING = "only the renderer prints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One top folder and what holds in it; a limit of None is not checked there."""

    folder: str
    file_lines: int = 400
    function_lines: int = 50
    parameters: int | None = 5
    nesting: int | None = 3
    patching: bool = True
    printing: bool = True


AREAS = (
    Area(folder="src", printing=False),
    Area(folder="tests", parameters=None, nesting=None, patching=False),
    Area(folder="tools"),
    Area(folder="examples"),
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the check of one area found, and the sizes it saw."""

    area: Area
    findings: tuple[Finding, ...]
    file_lines: tuple[int, ...]
    function_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One parsed file; the path is relative to the root and has forward slashes."""

    path: str
    lines: int
    tree: ast.Module

    def functions(self) -> Iterator[FunctionNode]:
        """Yield every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, FunctionNode))

    def finding(self, node: ast.expr | ast.stmt, text: str) -> Finding:
        """Return a finding at `node`."""
        return Finding(path=self.path, line=node.lineno, text=text)


def check_tree(root: Path) -> tuple[Report, ...]:
    """Check every area that `root` has."""
    return tuple(check_area(root, area) for area in AREAS if (root / area.folder).is_dir())


def check_area(root: Path, area: Area) -> Report:
    """Check all Python files of one area."""
    sources: list[Source] = []
    findings: list[Finding] = []
    for file in sorted((root / area.folder).rglob("*.py")):
        parsed = parse_source(file, file.relative_to(root).as_posix())
        if isinstance(parsed, Finding):
            findings.append(parsed)
        else:
            sources.append(parsed)
            findings += find_violations(parsed, area)
    return Report(
        area=area,
        findings=tuple(sorted(findings)),
        file_lines=tuple(source.lines for source in sources),
        function_lines=tuple(count_lines(function) for source in sources for function in source.functions()),
    )


def parse_source(file: Path, path: str) -> Source | Finding:
    """Read and parse a file; a finding where it is not Python."""
    text = file.read_text(encoding="utf-8")
    try:
        return Source(path=path, lines=len(text.splitlines()), tree=ast.parse(text))
    except SyntaxError as error:
        return Finding(path=path, line=error.lineno or 1, text=f"not valid Python: {error.msg}")


def find_violations(source: Source, area: Area) -> Iterator[Finding]:
    """Yield what breaks the area's rules in one file."""
    if source.lines > area.file_lines:
        text = f"file has {source.lines} lines, at most {area.file_lines}"
        yield Finding(path=source.path, line=1, text=text)
    for function in source.functions():
        yield from find_function_violations(source, function, area)
    if not area.patching:
        yield from find_patching(source)
    if not area.printing and not is_renderer(source.path):
        yield from find_printing(source)


def find_function_violations(source: Source, function: FunctionNode, area: Area) -> Iterator[Finding]:
    """Yield what is too large about one function."""
    lines = count_lines(function)
    if lines > area.function_lines:
        yield source.finding(function, f"{function.name} has {lines} lines, at most {area.function_lines}")
    parameters = count_parameters(function)
    if area.parameters is not None and parameters > area.parameters and not is_command(source.path, function):
        yield source.finding(function, f"{function.name} has {parameters} parameters, at most {area.parameters}")
    depth = measure_nesting(function.body)
    if area.nesting is not None and depth > area.nesting:
        yield source.finding(function, f"{function.name} nests {depth} blocks deep, at most {area.nesting}")


def count_lines(function: FunctionNode) -> int:
    """Return the lines from `def` to the end; decorators do not count."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def count_parameters(function: FunctionNode) -> int:
    """Return the number of parameters that a caller may give; a method's own object is not one."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if positional and positional[0].arg in {"self", "cls"}:
        positional = positional[1:]
    variadic = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return len(positional) + len(arguments.kwonlyargs) + len(variadic)


def measure_nesting(body: Sequence[ast.stmt], depth: int = 0) -> int:
    """Return how deep blocks stand inside blocks. A function inside is measured for itself."""
    deepest = depth
    for statement in body:
        if isinstance(statement, BLOCKS):
            deepest = max([deepest, *(measure_nesting(inner, depth + 1) for inner in inner_bodies(statement))])
    return deepest


def inner_bodies(block: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the bodies of a block. An `elif` is another body of its `if`, not a block inside it."""
    if isinstance(block, ast.If) and is_elif_chain(block):
        yield block.body
        yield from inner_bodies(block.orelse[0])
        return
    for name in ("body", "orelse", "finalbody"):
        yield getattr(block, name, [])
    for part in [*getattr(block, "handlers", []), *getattr(block, "cases", [])]:
        yield part.body


def is_elif_chain(block: ast.If) -> bool:
    """Tell whether what follows the `if` is an `elif`: the parser shows it as an `if` in the same column."""
    following = block.orelse
    return len(following) == 1 and isinstance(following[0], ast.If) and following[0].col_offset == block.col_offset


def is_command(path: str, function: FunctionNode) -> bool:
    """Tell whether Typer makes a command of the function: its parameters are the command's options."""
    calls = (decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call))
    attributes = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    return path.startswith("src/dockyard/cli/") and bool(attributes & COMMAND_DECORATORS)


def is_renderer(path: str) -> bool:
    """Tell whether the file is the one place that prints."""
    return Path(path).parent.as_posix() == "src/dockyard/cli" and Path(path).stem.startswith("render")


def find_patching(source: Source) -> Iterator[Finding]:
    """Yield each place that replaces attributes of live modules; tests pass fakes instead."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr | ast.stmt) and is_patching(node):
            yield source.finding(node, PATCHING)


def is_patching(node: ast.expr | ast.stmt) -> bool:
    """Tell whether the node imports a mocking library or sets an attribute through a fixture."""
    match node:
        case ast.Import(names=names):
            return any(alias.name in MOCKS for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            return module in MOCKS or any(f"{module}.{alias.name}" in MOCKS for alias in names)
        case ast.Attribute(attr="setattr") | ast.Attribute(value=ast.Name(id="mock" | "mocker"), attr="patch"):
            return True
        case _:
            return False


def find_printing(source: Source) -> Iterator[Finding]:
    """Yield each call of `print`."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield source.finding(node, PRINTING)


def summarise(report: Report) -> str:
    """Return one line on the sizes seen in an area."""
    files, functions = report.file_lines, report.function_lines
    return f"{report.area.folder}: {describe('files', files)}; {describe('functions', functions)}"


def describe(what: str, lines: Sequence[int]) -> str:
    """Return how many there are and how long they are."""
    if not lines:
        return f"{what} 0"
    percentile = sorted(lines)[math.ceil(0.95 * len(lines)) - 1]
    return f"{what} {len(lines)} (median {statistics.median(lines):g}, p95 {percentile}, longest {max(lines)} lines)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print findings and sizes; return the exit code."""
    parser = argparse.ArgumentParser(description="Check the size limits of the house style.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    reports = check_tree(parser.parse_args(arguments).root)
    findings = [finding for report in reports for finding in report.findings]
    for line in [*map(str, findings), *map(summarise, reports)]:
        print(line)
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
