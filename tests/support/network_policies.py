"""Who may talk to whom by NetworkPolicies. Pure.

As networking.k8s.io/v1 says it, policies add up, and a pod that none selects is open. Owns `podSelector`, `namespaceSelector`,
`ipBlock` with `except`, and ports by number or name; not `endPort`, nor host networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One side of a connection: a pod, or an address outside the cluster (which then has no namespace)."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Of its containers, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Policies, and the labels of namespaces."""

    policies: Sequence[Json]
    namespaces: Mapping[str, Mapping[str, str]]

    def allows(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether `source` may open a connection to that port of `target`."""
        return self._is_let(source, target, target, (port, protocol), "Egress") and self._is_let(
            target, source, target, (port, protocol), "Ingress"
        )

    def _is_let(self, owner: End, other: End, target: End, port: tuple[int, str], direction: str) -> bool:
        """Whether the policies of `owner` let the connection with `other` through in one direction."""
        mine = [one for one in self.policies if self._is_selected(one, owner, direction)]
        if not mine:
            return True
        rules = [(one, rule) for one in mine for rule in one["spec"].get(direction.lower(), [])]
        return any(self._matches(one, rule, other, direction) and _has_port(rule, target, port) for one, rule in rules)

    def _is_selected(self, policy: Json, end: End, direction: str) -> bool:
        if policy["metadata"]["namespace"] != end.namespace or direction not in policy["spec"]["policyTypes"]:
            return False
        return _selects(policy["spec"]["podSelector"], end.labels)

    def _matches(self, policy: Json, rule: Json, other: End, direction: str) -> bool:
        peers = rule.get("from" if direction == "Ingress" else "to", [])
        return not peers or any(self._is_peer(policy, peer, other) for peer in peers)

    def _is_peer(self, policy: Json, peer: Json, other: End) -> bool:
        if "ipBlock" in peer:
            return not other.namespace and _is_in_block(peer["ipBlock"], other.address)
        if not other.namespace:
            return False
        if "namespaceSelector" in peer:
            is_there = _selects(peer["namespaceSelector"], self.namespaces[other.namespace])
        else:
            is_there = other.namespace == policy["metadata"]["namespace"]
        return is_there and _selects(peer.get("podSelector", {}), other.labels)


def _selects(selector: Json, labels: Mapping[str, str]) -> bool:
    if unknown := set(selector) - {"matchLabels"}:
        raise NotImplementedError(unknown)
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _is_in_block(block: Json, address: str) -> bool:
    found = ip_address(address)
    return found in ip_network(block["cidr"]) and not any(found in ip_network(one) for one in block.get("except", []))


def _has_port(rule: Json, target: End, wanted: tuple[int, str]) -> bool:
    ports: Iterable[Json] = rule.get("ports", [])
    return not ports or any(
        (target.ports.get(str(one["port"]), one["port"]), one.get("protocol", "TCP")) == wanted for one in ports
    )
