"""HTTP as wheels and registries need it: kept-alive connections, proxies, the user's certificates, streaming both ways.

Owns sockets and the difference between a failure that may pass and one that will not. Must not interpret answers beyond
that, and must not put a header or an address into an error.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import IO
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ResponseError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as TimeoutError_

from dockyard_image.errors import ImageError
from dockyard_image.hosts import is_loopback
from dockyard_image.retry import TransientError

Body = bytes | IO[bytes] | Iterable[bytes] | None
Response = urllib3.BaseHTTPResponse

CHUNK = 1 << 20
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_TIMEOUT = urllib3.Timeout(connect=10, read=120)
_CONNECTIONS = 12
# Credentials are dropped by urllib3 when a redirect leaves the host; retries are ours, with the policy of the caller.
_NO_RETRIES_BUT_REDIRECTS = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)


class TransportError(Exception):
    """A failure that will not pass by itself, such as a certificate that is not trusted."""


class Transport:
    """Sends single requests over shared connections; safe to use from many threads."""

    def __init__(self, *, proxies: Callable[[], Mapping[str, str]] = getproxies) -> None:
        self._proxies = proxies
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: Body = None) -> Response:
        """One try. The answer's body is not read yet: read or release it.

        Raises TransientError for broken connections and for statuses that ask to come back; TransportError otherwise.
        """
        try:
            response = self._manager(url).request(
                method,
                url,
                headers=dict(headers),
                body=body,
                timeout=_TIMEOUT,
                retries=_NO_RETRIES_BUT_REDIRECTS,
                redirect=method in {"GET", "HEAD"},
                preload_content=False,
            )
        except (HTTPError, OSError) as error:
            raise _translate(error) from error
        if response.status in _TRANSIENT_STATUSES:
            wait = _seconds(response.headers.get("Retry-After", ""))
            response.drain_conn()
            raise TransientError(f"it answered {response.status}", wait)
        return response

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()
            self._managers.clear()

    def _manager(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        direct = is_loopback(parts.netloc) or proxy_bypass(parts.hostname or "")
        proxy = "" if direct else self._proxies().get(parts.scheme, "")
        with self._lock:
            if proxy not in self._managers:
                self._managers[proxy] = _open_manager(proxy)
            return self._managers[proxy]


def read_all(response: Response, limit: int) -> bytes:
    """The whole body of a small answer. Raises TransientError when it breaks off, ImageError when it passes `limit`."""
    content = bytearray()
    for chunk in stream(response):
        content += chunk
        if len(content) > limit:
            response.close()
            raise ImageError("answer-too-large", f"a server sent more than {limit} bytes where a short answer was due")
    return bytes(content)


def stream(response: Response) -> Iterable[bytes]:
    """The body in chunks, as it was sent: nothing is decompressed. Raises TransientError when it breaks off."""
    try:
        yield from response.stream(CHUNK, decode_content=False)
        response.release_conn()
    except (HTTPError, OSError) as error:
        raise _translate(error) from error


def _open_manager(proxy: str) -> urllib3.PoolManager:
    # The default context honours SSL_CERT_FILE and SSL_CERT_DIR, so a company's own authority needs no setting of ours.
    context = ssl.create_default_context()
    if proxy:
        address = proxy if "://" in proxy else f"http://{proxy}"
        parts = urlsplit(address)
        headers = urllib3.make_headers(proxy_basic_auth=parts.netloc.rpartition("@")[0] or None)
        return urllib3.ProxyManager(address, proxy_headers=headers, ssl_context=context, maxsize=_CONNECTIONS)
    return urllib3.PoolManager(ssl_context=context, maxsize=_CONNECTIONS)


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ProxyError, "the proxy did not connect"),
    (NameResolutionError, "its name cannot be resolved"),
    (NewConnectionError, "nothing accepts connections there"),
    (TimeoutError_, "it did not answer in time"),
)


def _translate(error: BaseException | None) -> TransientError | TransportError:
    """Say in our words what went wrong: the library's own texts contain addresses."""
    if isinstance(error, MaxRetryError):
        return _translate(error.reason)
    if isinstance(error, ResponseError):
        return TransportError("it redirects too often")
    if isinstance(error, SSLError | ssl.SSLError):
        return TransportError("its TLS certificate or protocol is not accepted")
    reasons = (reason for kind, reason in _REASONS if isinstance(error, kind))
    return TransientError(next(reasons, "the connection broke"))


def _seconds(text: str) -> float | None:
    """Retry-After in seconds; its other form, a date, is left to our own waiting."""
    return float(text) if text.isdigit() else None
