"""The tokens that open the registry's data plane: given by GetAuthorizationToken, good for twelve hours.

Owns their making and checking. https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Literal

USER = "AWS"
LIFETIME = timedelta(hours=12)
Verdict = Literal["good", "expired", "unknown"]


class RegistryTokens:
    """All tokens that were given and have not expired."""

    def __init__(self, clock: Callable[[], datetime] | None = None, lifetime: timedelta = LIFETIME) -> None:
        self._now = clock or (lambda: datetime.now(timezone.utc))
        self._lifetime = lifetime
        self._expiries: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def issue(self) -> tuple[str, datetime]:
        """A new `authorizationToken` (base64 of `AWS:<password>`), and when it expires."""
        password = secrets.token_urlsafe(32)
        with self._lock:
            expiry = self._expiries[password] = self._now() + self._lifetime
        return base64.b64encode(f"{USER}:{password}".encode()).decode(), expiry

    def check(self, authorization: str) -> Verdict:
        """Judge an Authorization header."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return "unknown"
        with self._lock:
            expiry = self._expiries.get(password)
        if scheme.lower() != "basic" or user != USER or expiry is None:
            return "unknown"
        return "good" if self._now() < expiry else "expired"
