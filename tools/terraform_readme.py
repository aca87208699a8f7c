"""Writes the tables of inputs and outputs in the READMEs of terraform/modules, or says which of them are out of date.

Owns reading the declarations of a module, as `terraform fmt` lays them out, and where in a README the tables go. The rest of a
README is written by hand.

    python tools/terraform_readme.py            write them
    python tools/terraform_readme.py --check    exit code 1 where one differs
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_pages.markdown import code, table

MODULES = Path(__file__).resolve().parents[1] / "terraform" / "modules"
START, END = "<!-- Made by tools/terraform_readme.py from the module. -->", "<!-- End of what was made. -->"
_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"^  (\w+) += (.*(?:\n(?:    .*|  [\])}]+))*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A variable or an output; what is not said is None, and `default` is as it is written."""

    kind: str
    name: str
    description: str | None
    type: str | None
    default: str | None
    validated: bool


def read_declarations(module: Path) -> Iterator[Declaration]:
    """Yield what a module declares, in the order that its files do."""
    for file in (module / "variables.tf", *sorted(module.glob("*_variables.tf")), module / "outputs.tf"):
        for kind, name, body in _BLOCK.findall(file.read_text("utf-8")):
            said = dict(_ARGUMENT.findall(body))
            described = said.get("description")
            yield Declaration(
                kind=kind,
                name=name,
                description=described and described.strip('"').replace('\\"', '"'),
                type=said.get("type"),
                default=said.get("default"),
                validated="  validation {" in body,
            )


def render_tables(module: Path) -> str:
    """The tables of a module."""
    found = list(read_declarations(module))
    inputs = [
        (code(one.name), one.description or "", code(one.type), code(one.default) if one.default else "**required**")
        for one in found
        if one.kind == "variable"
    ]
    outputs = [(code(one.name), one.description or "") for one in found if one.kind == "output"]
    return "\n\n".join(
        (
            START,
            "## Inputs",
            table(("name", "what", "type", "default"), inputs),
            "## Outputs",
            table(("name", "what"), outputs),
            END,
        )
    )


def render_readme(module: Path) -> str:
    """A module's README with the tables as they have to be."""
    text = (module / "README.md").read_text("utf-8")
    before, _, rest = text.partition(START)
    return f"{before.rstrip()}\n\n{render_tables(module)}\n{rest.partition(END)[2].lstrip()}"


def find_stale(folder: Path) -> list[Path]:
    """The modules whose README differs from what it would be."""
    modules = sorted(file.parent for file in folder.glob("*/variables.tf"))
    return [module for module in modules if (module / "README.md").read_text("utf-8") != render_readme(module)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the tables in the READMEs of terraform/modules.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where one is out of date")
    checking = parser.parse_args(arguments).check
    stale = find_stale(MODULES)
    for module in stale:
        if checking:
            print(f"terraform/modules/{module.name}/README.md: out of date; run `python tools/terraform_readme.py`")
        else:
            (module / "README.md").write_text(render_readme(module), "utf-8")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
