"""Getting a registry to know us: Basic, and the bearer tokens of the distribution specification.

Owns the answers to a 401 and the tokens in memory. Tries each credential in turn: an expired `docker login` must not stand in
the way of a provider that works. Credentials go to the registry, or over TLS to the token service that it names, nowhere else.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from dockyard_image.credentials import Credentials
from dockyard_image.errors import RegistryError
from dockyard_image.registry_errors import refused_credentials, unreachable
from dockyard_image.retry import RetryPolicy, TransientError, with_retries
from dockyard_image.transport import Transport, TransportError, read_all

Scopes = tuple[str, ...]

_PARAMETER = re.compile(r'([a-zA-Z_]+)="([^"]*)"')
_TOKEN_LIMIT = 1 << 20
_DEFAULT_LIFE = 60.0  # seconds; what the specification says when a token does not tell
_CLIENT = "dockyard"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    header: str
    until: float


class Authorizer:
    """The Authorization headers for one registry host; safe to use from many threads."""

    def __init__(
        self, host: str, *, secure: bool, credentials: Iterable[Credentials], transport: Transport, policy: RetryPolicy
    ) -> None:
        self._host = host
        self._secure = secure
        self._untried: Iterator[Credentials] = iter(credentials)
        self._known: list[Credentials] = []
        self._transport = transport
        self._policy = policy
        self._now: Callable[[], float] = time.monotonic
        self._place: dict[Scopes, int] = {}
        self._held: dict[Scopes, _Held] = {}
        self._lock = threading.RLock()

    def header(self, scopes: Scopes) -> str:
        """What worked before for these scopes and is still valid; empty when nothing did."""
        with self._lock:
            held = self._held.get(scopes)
            return held.header if held and held.until > self._now() else ""

    def renew(self, challenge: str, scopes: Scopes, refused: str, *, fresh: bool) -> str:
        """A header that answers a 401. `fresh` says that the `refused` one was made for this very request.

        Raises RegistryError, code `registry-credentials-refused`, when there is nothing left to try.
        """
        with self._lock:
            if (other := self.header(scopes)) not in {"", refused}:
                return other  # another thread was faster
            place = self._place.get(scopes, 0) + (1 if fresh and refused else 0)
            return self._obtain(challenge, scopes, place)

    def _obtain(self, challenge: str, scopes: Scopes, place: int) -> str:
        """Try the credentials from `place` on. A place is kept per scope: being refused one thing says nothing of others."""
        while place == 0 or self._credentials(place) is not None:
            held = self._answer(challenge, scopes, self._credentials(place))
            if held is not None:
                self._held[scopes], self._place[scopes] = held, place
                return held.header
            place += 1
        self._held.pop(scopes, None)
        self._place.pop(scopes, None)
        raise refused_credentials(self._host, has_credentials=bool(self._known))

    def _credentials(self, place: int) -> Credentials | None:
        """The credentials in that place; nobody is in place 0 when there are none at all."""
        while len(self._known) <= place and (found := next(self._untried, None)) is not None:
            self._known.append(found)
        return self._known[place] if place < len(self._known) else None

    def _answer(self, challenge: str, scopes: Scopes, credentials: Credentials | None) -> _Held | None:
        """What answers the challenge for these credentials, or None when they are of no use for it."""
        parameters = dict(_PARAMETER.findall(challenge))
        if challenge.lower().startswith("bearer") and "realm" in parameters:
            return self._fetch_token(parameters, scopes, credentials)
        if credentials is None or credentials.is_identity_token:
            return None
        return _Held(header=_basic(credentials), until=float("inf"))

    def _fetch_token(self, parameters: Mapping[str, str], scopes: Scopes, credentials: Credentials | None) -> _Held | None:
        realm = parameters["realm"]
        if self._secure and credentials is not None and urlsplit(realm).scheme != "https":
            message = f"{self._host} sends users to a token service without TLS, which gets no credentials"
            raise RegistryError("registry-refused", message, "Ask the registry's owner to mend its settings.")
        wanted = list(dict.fromkeys([*scopes, *parameters.get("scope", "").split()]))

        def ask() -> tuple[int, bytes]:
            method, url, headers, body = _token_request(realm, parameters.get("service", ""), wanted, credentials)
            response = self._transport.send(method, url, headers, body)
            return response.status, read_all(response, _TOKEN_LIMIT)

        status, content = self._retry(ask)
        return self._read_token(content) if status == 200 else None

    def _retry(self, ask: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        try:
            return with_retries(ask, self._policy, lambda error: unreachable(f"the token service of {self._host}", error))
        except TransportError as error:
            raise unreachable(f"the token service of {self._host}", error) from error

    def _read_token(self, content: bytes) -> _Held:
        try:
            document = json.loads(content)
            token = str(document.get("token") or document["access_token"])
            life = float(document.get("expires_in") or _DEFAULT_LIFE)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = TransientError("it sent no token")
            raise unreachable(f"the token service of {self._host}", reason) from error
        return _Held(header=f"Bearer {token}", until=self._now() + life * 0.9)


def _token_request(
    realm: str, service: str, scopes: list[str], credentials: Credentials | None
) -> tuple[str, str, dict[str, str], bytes | None]:
    """Method, address, headers and body that ask a token service for a token."""
    fields = [("service", service)] if service else []
    if credentials is not None and credentials.is_identity_token:
        fields += [("scope", " ".join(scopes)), ("client_id", _CLIENT), ("grant_type", "refresh_token")]
        fields += [("refresh_token", credentials.secret.reveal())]
        return "POST", realm, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields).encode()
    fields += [("scope", scope) for scope in scopes]
    headers = {"Authorization": _basic(credentials)} if credentials is not None else {}
    return "GET", f"{realm}{'&' if '?' in realm else '?'}{urlencode(fields)}", headers, None


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.user}:{credentials.secret.reveal()}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
