"""Owns reading a model's requirements: what is a requirement, and what pip options must stay behind. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"(^|\s)#.*$")
_INLINE_OPTION = re.compile(r"\s--?[A-Za-z]")
_OPTION_NAME = re.compile(r"--?[A-Za-z][A-Za-z-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The requirements in the file's order, and the names of options that were left out."""

    lines: tuple[str, ...]
    ignored_options: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of what was left out: names only, for an index address may hold a password."""
        if not self.ignored_options:
            return ()
        names = ", ".join(f"`{name}`" for name in self.ignored_options)
        return (f"options in the model's requirements.txt are not used: {names}",)


def parse_requirements(text: str) -> Requirements:
    """Parse a requirements.txt as pip reads it, without its options.

    `-r`, `-c`, `-e`, index options and `--hash` stay out: where packages come from and which files are right is for the
    image's lock to say, not for the machine that logged the model.
    """
    lines: list[str] = []
    ignored: list[str] = []
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        requirement, options = _split_options(_COMMENT.sub("", line).strip())
        ignored += options
        if requirement:
            lines.append(requirement)
    return Requirements(lines=tuple(lines), ignored_options=tuple(sorted(set(ignored))))


def _split_options(line: str) -> tuple[str, list[str]]:
    if line.startswith("-"):
        return "", _OPTION_NAME.findall(line)[:1]
    found = _INLINE_OPTION.search(line)
    if found is None:
        return line, []
    options = re.findall(r"(?<=\s)--?[A-Za-z][A-Za-z-]*", line[found.start() :])
    return line[: found.start()].strip(), options
