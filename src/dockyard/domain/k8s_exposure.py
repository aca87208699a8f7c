"""Owns how requests from outside a cluster reach a deployment: by a route of a Gateway, or by an Ingress.

Hostnames and paths may hold `{name}`, which stands for the deployment's name, since an environment has many deployments.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = "{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRoute:
    """An HTTPRoute of the Gateway API. What is behind the path is handed on, the path itself is taken away."""

    gateway: str
    namespace: str | None = None
    """The Gateway's. None: the deployment's."""
    section: str | None = None
    """The Gateway's listener. None: each that takes the hostnames."""
    hostnames: tuple[str, ...]
    path: str = "/"
    scheme: str = "https"
    """How clients speak to the listener, which the Gateway decides."""

    def derive_url(self, name: str) -> str:
        """What clients of the deployment of that name ask."""
        return fill_name(f"{self.scheme}://{self.hostnames[0]}{self.path}", name).rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """An Ingress. Its controller hands the path on as it is, unless annotations tell it otherwise."""

    host: str
    class_name: str | None = None
    """None: the cluster's default one."""
    path: str = "/"
    tls_secret: str | None = None
    """The Secret with the host's certificate. None: plain HTTP."""
    annotations: tuple[tuple[str, str], ...] = ()
    """For its controller, sorted by name."""

    def derive_url(self, name: str) -> str:
        """What clients of the deployment of that name ask."""
        scheme = "https" if self.tls_secret else "http"
        return fill_name(f"{scheme}://{self.host}{self.path}", name).rstrip("/")


Exposure = HttpRoute | Ingress


def fill_name(text: str, name: str) -> str:
    """Put a deployment's name where it belongs."""
    return text.replace(NAME, name)
