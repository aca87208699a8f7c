"""What the stand-in for Terraform's AWS provider applies to: AWS's APIs, or whatever stands in for them, by boto3.

Owns turning a type's values into calls and answers into values, as terraform/testing/types.json says of each type. Requests
are built by botocore's shapes: a member is taken from the attribute of its name. Must not know a type.
"""

from __future__ import annotations

import json
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError

from support.lab import ROOT
from support.sandbox_cloud import REGION, CloudBench

Values = dict[str, Any]
TYPES: Mapping[str, Values] = json.loads((ROOT / "terraform" / "testing" / "types.json").read_text("utf-8"))
_ABSENT = ("NotFound", "NoSuch", "404", "Could not find")
_SECONDS = 120
_SCALARS: Mapping[str, Callable[[Any], object]] = {"integer": int, "long": int, "float": float, "double": float}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type, and the account that its things are in."""

    said: Values
    cloud: CloudBench

    def answer(self, action: str, values: list[Values | None]) -> Values:
        """What the provider is told of an action."""
        match action:
            case "plan":
                return {"replace": [name for name in self.said.get("replace", []) if _differs(name, values)]}
            case "apply":
                return {"state": self.apply(values[0], values[1], values[2])}
            case "read":
                return {"state": self.read(values[0] or {})}
            case _:
                return {"state": self.fill(values[0] or {}, self.look(values[0] or {}))}

    def apply(self, prior: Values | None, planned: Values | None, given: Values | None) -> Values | None:
        """Create, update or delete."""
        if planned is None:
            self.do("delete", prior or {})
            self.wait(prior or {})
            return None
        written = {**planned, **{name: value for name, value in (given or {}).items() if value is not None}}
        made = self.do("create" if prior is None or "update" not in self.said else "update", written)
        return self.fill(planned, self.wait({**planned, **made}))

    def do(self, verb: str, values: Values) -> Values:
        """Make a verb's calls; what the first answered tells by which name to read."""
        found: Values = {}
        for call in self.said[verb]:
            told = self.call(call, {**values, "read": found})
            at = self.said["read"].get("at")
            found = found or jmespath.search(at.format_map(values) if at else "@", told) or {}
        key = self.said.get("find")
        return {xform_name(key): found[key]} if key and key in found else {}

    def wait(self, values: Values) -> Values | None:
        """Read until nothing is under way."""
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            read = self.look(values)
            busy = self.said["read"].get("busy", {})
            if read is None or not any(read.get(name) in states for name, states in busy.items()):
                return read
            time.sleep(0.2)
        raise TimeoutError(f"still under way after {_SECONDS} s: {values}")

    def read(self, values: Values) -> Values | None:
        """The state as it is now; None for what is gone."""
        read = self.look(values)
        return None if read is None else self.fill(values, read)

    def look(self, values: Values) -> Values | None:
        """What the account says about a thing."""
        how = self.said.get("read")
        if how is None:
            return {}
        try:
            told = self.call(how, values)
        except ClientError as error:
            if any(mark in str(error) for mark in _ABSENT):
                return None
            raise
        read = jmespath.search(how["at"].format_map(values), told) if "at" in how else told
        gone = how.get("gone", {})
        return None if read is None or any(read.get(name) == state for name, state in gone.items()) else read

    def fill(self, values: Values, read: Values | None) -> Values:
        """The values with what only the account knows."""
        known = {**values, "read": read or {}, "here": REGION}
        tags = {"tags_all": values["tags"]} if values.get("tags") else {}
        return {**values, **tags, **{name: text.format_map(known) for name, text in self.said["state"].items()}}

    def call(self, how: Values, values: Values) -> Values:
        """Make one call."""
        client = self.cloud.client(self.said["service"])
        operation = client.meta.method_to_api_mapping[how["call"]]
        request = render(how.get("with", {}), values)
        shape = client.meta.service_model.operation_model(operation).input_shape
        inner = how.get("from")
        if inner == ".":
            request = {**build(shape, values, how.get("names", {})), **request}
        elif inner:
            request[inner] = build(shape.members[inner], values, how.get("names", {}))
        answer: Values = getattr(client, how["call"])(**request)
        return answer


def _differs(name: str, values: list[Values | None]) -> bool:
    prior, planned = values[0], values[1]
    return prior is not None and planned is not None and prior.get(name) != planned.get(name)


def render(template: Any, values: Values) -> Any:  # noqa: ANN401  JSON
    """A template with its `{…}` filled in; one that stands alone keeps its value's type."""
    if isinstance(template, Mapping):
        return {name: render(value, values) for name, value in template.items() if render(value, values) is not None}
    if isinstance(template, list):
        return [render(value, values) for value in template]
    if isinstance(template, str) and template.startswith("{") and template.endswith("}"):
        return string.Formatter().get_field(template[1:-1], (), values)[0]
    return template


def build(shape: Any, value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401  botocore's shapes, JSON
    """A request's value of that shape out of attributes and blocks."""
    match shape.type_name:
        case "structure":
            whole = value[0] if isinstance(value, list) else value
            places = {name: names.get(name, xform_name(name)) for name in shape.members}
            found = {name: (shape.members[name], whole if at == "." else whole.get(at)) for name, at in places.items()}
            return {name: build(inner, one, names) for name, (inner, one) in found.items() if one not in (None, [], {})}
        case "list" if isinstance(value, Mapping):
            return [dict(zip(shape.member.members, pair, strict=False)) for pair in value.items()]
        case "list":
            return [build(shape.member, one, names) for one in value]
        case kind:
            return _SCALARS[kind](value) if kind in _SCALARS else value


@contextmanager
def serve_backend(cloud: CloudBench) -> Iterator[str]:
    """Answer the stand-in; yields the URL that it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = json.dumps(_answer(cloud, asked), default=str).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _answer(cloud: CloudBench, asked: Values) -> Values:
    name = f"data.{asked['type']}" if asked["action"] == "look" else asked["type"]
    if name not in TYPES:
        return {"error": f"terraform/testing/types.json has no {name}"}
    try:
        return Kind(said=TYPES[name], cloud=cloud).answer(asked["action"], asked["values"])
    except Exception as error:  # noqa: BLE001  the provider shows it
        return {"error": f"{type(error).__name__}: {error}"}
