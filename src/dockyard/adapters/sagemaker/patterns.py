"""Owns the patterns of AWS's service models, which are Java's regular expressions, as Python reads them. Whole strings only.

https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

_TOKEN = re.compile(r"\\p\{(?P<property>\w+)\}|(?P<escaped>\\.)|(?P<plain>.)", re.DOTALL)
_ASTRAL = r"\uD800\uDC00-\uDBFF\uDFFF"  # everything beyond the first 65,536 characters, as Java writes it
_COUNTED_END = re.compile(r"\$\{\d+,\d+\}\Z")  # a counted end of the text says nothing where the whole text is matched
_NAMED = {
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Graph": "\x21-\x7e",
    "Lower": "a-z",
    "Print": "\x20-\x7e",
    "Upper": "A-Z",
}


def matches_whole(pattern: str, text: str) -> bool:
    """Whether a pattern of a service model takes all of a text; one that Python cannot read takes every text."""
    compiled = _compile(pattern, frozenset(text) if r"\p{" in pattern else frozenset())
    return compiled is None or compiled.fullmatch(text) is not None


def can_read(pattern: str) -> bool:
    """Whether Python can read a pattern."""
    return _compile(pattern, frozenset()) is not None


@lru_cache(maxsize=512)
def _compile(pattern: str, characters: frozenset[str]) -> re.Pattern[str] | None:
    """The pattern for texts of these characters: a class of Unicode becomes those of them that it has."""
    plain = _COUNTED_END.sub("", pattern.replace(_ASTRAL, r"\U00010000-\U0010FFFF"))
    try:
        return re.compile("".join(_translate(plain, characters)))
    except re.error:
        return None


def _translate(pattern: str, characters: frozenset[str]) -> Iterator[str]:
    in_class = False
    for token in _TOKEN.finditer(pattern):
        if token["property"]:
            members = _list_members(token["property"], characters)
            yield members if in_class else f"[{members}]"
            continue
        if token["plain"] == "[" and in_class:
            yield r"\["
            continue
        if token["escaped"] == r"\z":  # the very end, which Python writes otherwise
            yield r"\Z"
            continue
        in_class = (token["plain"] == "[" or in_class) and token["plain"] != "]"
        yield token[0]


def _list_members(name: str, characters: Iterable[str]) -> str:
    if name in _NAMED:
        return _NAMED[name]
    nobody = next(one for one in "\uffff\ufffe\ufdd0" if one not in characters)  # so that a class is never empty
    return "".join(re.escape(one) for one in sorted(characters) if unicodedata.category(one).startswith(name)) + nobody
