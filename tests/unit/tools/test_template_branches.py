"""Marks in templates: one for each way that a condition can go, and none that changes which way it goes."""

from __future__ import annotations

from template_branches import Instrumented


def rewrite(text: str) -> tuple[str, list[str]]:
    instrumented = Instrumented()
    return instrumented.rewrite(text, "a.yaml"), instrumented.branches


def test_condition_without_else_gets_one() -> None:
    assert rewrite("{{- if .A }}x{{- end }}") == (
        "{{- if .A }}~0~x{{- else }}~1~{{- end }}",
        ["a.yaml:1 if .A", "a.yaml:1 if .A: not"],
    )


def test_every_part_of_a_chain_is_a_branch() -> None:
    text, branches = rewrite("\n{{ if .A }}x{{ else if .B }}y{{ else }}z{{ end }}")
    assert text == "\n{{ if .A }}~0~x{{ else if .B }}~1~y{{ else }}~2~z{{ end }}"
    assert branches == ["a.yaml:2 if .A", "a.yaml:2 else if .B", "a.yaml:2 if .A: else"]


def test_range_is_to_be_entered_and_definitions_are_no_branches() -> None:
    text, _ = rewrite('{{ define "a" }}{{ range .A }}{{ . }}{{ end }}{{ end }}{{/* if */}}')
    assert text == '{{ define "a" }}{{ range .A }}~0~{{ . }}{{ end }}{{ end }}{{/* if */}}'


def test_refusal_is_left_out_so_that_its_branch_is_seen() -> None:
    text, _ = rewrite('{{ if .A }}{{ fail "no" }}{{ end }}')
    assert text == "{{ if .A }}~0~{{ else }}~1~{{ end }}"
