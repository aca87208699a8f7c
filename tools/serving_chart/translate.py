"""Owns the translation of Jinja2 templates into Helm's: what both can say, and an error for the rest. Pure.

Jinja2's own parser reads a template, so that what is translated is what deploys are rendered from. Loops over what a template
itself lists are unrolled: Helm has no lists of lists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from jinja2 import Environment, nodes

Names = Mapping[str, str]
"""What names of loops are in Helm."""

_COMPARE = {"eq": "eq", "ne": "ne", "gt": "gt", "gteq": "ge", "lt": "lt", "lteq": "le"}
_OPERATORS: Mapping[type[nodes.Node], str] = {nodes.And: "and", nodes.Or: "or", nodes.Add: "add"}
_TEXT = '{{ include "model-server.text" %s }}'


class NotInHelmError(Exception):
    """A template says what Helm cannot."""


def translate(environment: Environment, source: str) -> str:
    """Return a Helm template that gives what a Jinja2 template gives, for the chart's values. Raises NotInHelmError."""
    return _translate_all(environment.parse(source).body, {})


def _translate_all(body: list[nodes.Node], names: Names) -> str:
    return "".join(_translate(one, names) for one in body)


def _translate(node: nodes.Node, names: Names) -> str:
    match node:
        case nodes.Output():
            return "".join(_write(one, names) for one in node.nodes)
        case nodes.If():
            return _translate_if(node, names)
        case nodes.For():
            return _translate_for(node, names)
        case _:
            raise NotInHelmError(f"line {node.lineno}: {type(node).__name__}")


def _translate_if(node: nodes.If, names: Names) -> str:
    parts = [_tag(f"if {express(node.test, names)}"), _translate_all(node.body, names)]
    for other in node.elif_:
        parts += [_tag(f"else if {express(other.test, names)}"), _translate_all(other.body, names)]
    if node.else_:
        parts += [_tag("else"), _translate_all(node.else_, names)]
    return "".join([*parts, _tag("end")])


def _translate_for(node: nodes.For, names: Names) -> str:
    targets = [one.name for one in _list_targets(node.target)]
    if isinstance(node.iter, nodes.Tuple | nodes.List):
        return "".join(_unroll(node, names, targets, item) for item in node.iter.items)
    inner = {**names, **{name: f"${name}" for name in targets}}
    head = f"range {', '.join(f'${name}' for name in targets)} := {express(node.iter, names)}"
    return _tag(head) + _guard(node, inner, _translate_all(node.body, inner)) + _tag("end")


def _unroll(node: nodes.For, names: Names, targets: list[str], item: nodes.Expr) -> str:
    values = item.items if isinstance(item, nodes.Tuple) and len(targets) > 1 else [item]
    inner = {**names, **{name: express(value, names) for name, value in zip(targets, values, strict=True)}}
    return _guard(node, inner, _translate_all(node.body, inner))


def _guard(node: nodes.For, names: Names, body: str) -> str:
    return body if node.test is None else _tag(f"if {express(node.test, names)}") + body + _tag("end")


def _list_targets(target: nodes.Node) -> list[nodes.Name]:
    found = target.items if isinstance(target, nodes.Tuple) else [target]
    names = [one for one in found if isinstance(one, nodes.Name)]
    if len(names) != len(found):
        raise NotInHelmError(f"line {target.lineno}: the target of a loop")
    return names


def _tag(action: str) -> str:
    """A block's tag stands on a line of its own, which goes away together with its indentation."""
    return "{{- " + action + " }}\n"


def _write(node: nodes.Expr, names: Names) -> str:
    if isinstance(node, nodes.TemplateData):
        return node.data.replace("{{", '{{ "{{" }}')
    if isinstance(node, nodes.Filter) and node.name == "tojson" and node.node is not None:
        return "{{ " + express(node.node, names) + " | toJson }}"
    text = express(node, names)
    return str(json.loads(text)) if text.startswith('"') else _TEXT % text


def express(node: nodes.Node, names: Names) -> str:
    """Return an expression as Helm has it, in parentheses where it is more than a word."""
    match node:
        case nodes.Const():
            found = "nil" if node.value is None else json.dumps(node.value)
        case nodes.Name():
            outer = "$.Release.Namespace" if node.name == "namespace" else f"$.Values.{node.name}"
            found = names.get(node.name, outer)
        case nodes.Getattr():
            found = f"{express(node.node, names)}.{node.attr}"
        case nodes.Not():
            found = f"(not {express(node.node, names)})"
        case nodes.And() | nodes.Or() | nodes.Add():
            found = f"({_OPERATORS[type(node)]} {express(node.left, names)} {express(node.right, names)})"
        case _:
            found = _express_more(node, names)
    return found


def _express_more(node: nodes.Node, names: Names) -> str:
    match node:
        case nodes.Compare(ops=[operand]):
            found = f"({_COMPARE[operand.op]} {express(node.expr, names)} {express(operand.expr, names)})"
        case nodes.Test(name="none"):
            found = f'(kindIs "invalid" {express(node.node, names)})'
        case nodes.Concat():
            found = f'(printf "{"%v" * len(node.nodes)}" {" ".join(express(one, names) for one in node.nodes)})'
        case nodes.Filter(name="string", node=nodes.Expr() as inner):
            found = f'(include "model-server.text" {express(inner, names)})'
        case nodes.Filter(name="fill", node=nodes.Expr() as inner):
            found = f'(replace "{{name}}" {express(node.args[0], names)} {express(inner, names)})'
        case nodes.Call(node=nodes.Name(name="dict"), args=[first], kwargs=[]):
            found = _express_dict(express(first, names), node.dyn_kwargs, names)
        case _:
            raise NotInHelmError(f"line {node.lineno}: {type(node).__name__}")
    return found


def _express_dict(first: str, second: nodes.Expr | None, names: Names) -> str:
    """What Python has as pairs is a mapping in values already; of two mappings the second goes before the first."""
    return first if second is None else f"(merge (dict) {express(second, names)} {first})"
