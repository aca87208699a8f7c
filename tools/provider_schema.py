"""Writes the schema of the AWS provider's types that terraform/testing stands in for.

Owns reading them out of the package `cdktn-provider-aws`, whose sources were generated from the provider's published schema and
name every attribute's type and whether it is required. What those do not tell (values that a provider refuses) is not there.

    pip download --no-deps cdktn-provider-aws==25.8.1
    python tools/provider_schema.py cdktn_provider_aws-25.8.1-*.whl [aws_sqs_queue data.aws_ssm_parameter …]

Without names: all that there are, again. One file a type, in the form of `terraform providers schema -json`.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "terraform" / "testing" / "provider" / "schema"
_CLASS = re.compile(r"^export class (\w+) extends cdktn\.(\w+)", re.MULTILINE)
_MEMBER = re.compile(
    r"// (?P<name>\w+) - computed: (?P<computed>\w+), optional: (?P<optional>\w+), required: (?P<required>\w+)\n"
    r"(?:  private _\w+ = new (?P<nested>[\w.]+)\(this, \"\w+\"(?:, (?P<set>\w+))?\))?"
    r"(?P<rest>.*?return (?P<value>[^;]+);)",
    re.DOTALL,
)
_GETTERS = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
}
_CONTAINERS = {
    "cdktn.StringMap": ["map", "string"],
    "cdktn.NumberMap": ["map", "number"],
    "cdktn.BooleanMap": ["map", "bool"],
}
Json = dict[str, object]


def read_sources(wheel: Path, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each name with the TypeScript that its class was generated as."""
    members = {name_member(name): name for name in names}
    with zipfile.ZipFile(wheel) as whole:
        packed = next(name for name in whole.namelist() if name.endswith(".jsii.tgz"))
        content = BytesIO(whole.read(packed))
    with tarfile.open(fileobj=content) as archive:
        for member in archive:
            code = archive.extractfile(member) if member.name in members else None
            if code is not None:
                yield members[member.name], read_source_map(code.read().decode())


def name_member(name: str) -> str:
    """Where a type's code is in the package: `aws_kms_key` or `data.aws_partition`."""
    plain = name.removeprefix("aws_") if name.startswith("aws_") else name.replace(".", "-")
    return f"package/lib/{plain.replace('_', '-')}/index.js"


def read_source_map(code: str) -> str:
    """The source inside the source map at the end of a script."""
    found = re.search(r"sourceMappingURL=data:application/json;base64,([\w+/=]+)", code)
    if found is None:
        raise ValueError("a script without its source map: another release of the package?")
    return str(json.loads(base64.b64decode(found[1]))["sourcesContent"][0])


def read_block(source: str) -> Json:
    """The schema of a whole type."""
    starts = [(found[1], found[2], found.start()) for found in _CLASS.finditer(source)]
    ends = [start for _, _, start in starts[1:]] + [len(source)]
    bodies = {name: source[start:end] for (name, _, start), end in zip(starts, ends, strict=True)}
    main = next(name for name, base, _ in starts if base in {"TerraformResource", "TerraformDataSource"})
    return read_members(main, bodies)


def read_members(name: str, bodies: dict[str, str]) -> Json:
    """The attributes of one class, and the blocks inside it."""
    attributes: Json = {}
    blocks: Json = {}
    for found in _MEMBER.finditer(bodies[name]):
        nested = found["nested"]
        only_read = found["computed"] == "true" and found["optional"] == "false"
        if not nested or nested.startswith("cdktn.") or only_read:
            attributes[found["name"]] = describe_attribute(found, read_nested_type(found, bodies))
        else:
            blocks[found["name"]] = describe_block(found, bodies)
    return {"attributes": attributes, **({"block_types": blocks} if blocks else {})}


def describe_attribute(found: re.Match[str], kind: object) -> Json:
    """One attribute as `terraform providers schema` has it."""
    marks = {mark: True for mark in ("computed", "optional", "required") if found[mark] == "true"}
    hidden = {"write_only": True} if "Write-only" in found["rest"] else {}
    return {"type": kind, **marks, **hidden}


def read_type(found: re.Match[str]) -> object:
    """The type of a plain attribute, by what reads it."""
    value = found["value"]
    kind = next((kind for getter, kind in _GETTERS.items() if f"this.{getter}(" in value), None)
    kind = kind or _CONTAINERS.get(found["nested"])
    if kind is None:
        raise ValueError(f"{found['name']}: cannot tell the type of {value}")
    return ["set", kind[1]] if "tolist" in value and isinstance(kind, list) else kind


def read_object_type(found: re.Match[str], bodies: dict[str, str]) -> object:
    """The type of an attribute that holds objects and is only read."""
    inner = bodies[item_class(found["nested"])]
    fields = {field["name"]: read_nested_type(field, bodies) for field in _MEMBER.finditer(inner)}
    return ["set" if found["set"] == "true" else "list", ["object", fields]]


def read_nested_type(found: re.Match[str], bodies: dict[str, str]) -> object:
    """The type of an attribute, of whatever kind."""
    nested = found["nested"]
    return read_type(found) if not nested or nested.startswith("cdktn.") else read_object_type(found, bodies)


def item_class(nested: str) -> str:
    """The class of the items of a list's class."""
    return nested if nested.endswith("OutputReference") else nested.removesuffix("List").removesuffix("Map") + "OutputReference"


def describe_block(found: re.Match[str], bodies: dict[str, str]) -> Json:
    """One nested block. A class that is no list stands for a block that comes once."""
    inner = {"block": read_members(item_class(found["nested"]), bodies)}
    if found["name"] == "timeouts":
        return {"nesting_mode": "single", **inner}
    least = {"min_items": 1} if found["required"] == "true" else {}
    most = {"max_items": 1} if found["nested"].endswith("OutputReference") else {}
    return {"nesting_mode": "set" if found["set"] == "true" else "list", **inner, **least, **most}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description="Write the schema of types of the AWS provider.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("names", nargs="*", metavar="TYPE")
    options = parser.parse_args(arguments)
    names = options.names or [file.stem for file in FOLDER.glob("*aws_*.json")]
    written = set()
    for name, source in read_sources(options.wheel, names):
        block = json.dumps(read_block(source), indent=1, sort_keys=True)
        (FOLDER / f"{name}.json").write_text(f"{block}\n", "utf-8")
        written.add(name)
    print(f"{len(written)} types written", *[f"no such type: {name}" for name in set(names) - written], sep="\n")
    return 0 if written == set(names) else 1


if __name__ == "__main__":
    raise SystemExit(main())
