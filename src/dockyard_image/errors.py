"""The errors of the image builder: every failure that a caller may want to tell apart.

Owns codes and the shape of a message. Must not know who calls: no exit codes, no printing. A message names the thing that
failed and never carries a credential, nor an address with one in it.
"""

from __future__ import annotations


class ImageError(Exception):
    """A build, store or registry failure with a stable kebab-case code, what failed, and what to do about it."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {self.message!r})"


class InvalidReferenceError(ImageError):
    """An image reference that cannot be read (code `reference-invalid`)."""


class LockError(ImageError):
    """Requirements that cannot be locked to wheels."""


class WheelError(ImageError):
    """A wheel that cannot be fetched or read."""


class RecipeError(ImageError):
    """A recipe whose parts do not fit together, such as a base image with another Python."""


class RegistryError(ImageError):
    """A registry that is unreachable, refuses, or lacks what was asked for."""


class StoreError(ImageError):
    """An image store or archive that cannot be read or written."""
