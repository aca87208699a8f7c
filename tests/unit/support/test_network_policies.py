"""The evaluator of NetworkPolicies reads them as Kubernetes does."""

from __future__ import annotations

from typing import Any

import pytest

from support.network_policies import End, Network

WEB = End(namespace="a", labels={"app": "web"}, ports={"http": 8080})
CLIENT = End(namespace="a", labels={"app": "client"})
ABROAD = End(namespace="b", labels={"app": "client"})
OUTSIDE = End(address="10.1.2.3")
NAMESPACES = {"a": {"team": "red"}, "b": {"team": "blue"}}


def make_network(**spec: object) -> Network:
    policy = {"metadata": {"namespace": "a"}, "spec": {"podSelector": {"matchLabels": {"app": "web"}}, **spec}}
    return Network(policies=[policy], namespaces=NAMESPACES)


def test_pod_without_policy_is_open() -> None:
    assert Network(policies=[], namespaces=NAMESPACES).allows(OUTSIDE, WEB, 1)


def test_policy_without_rules_closes_its_direction_only() -> None:
    network = make_network(policyTypes=["Ingress"])
    assert not network.allows(CLIENT, WEB, 8080)
    assert network.allows(WEB, OUTSIDE, 443)
    assert network.allows(ABROAD, CLIENT, 80)


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [
        ({"podSelector": {}}, [CLIENT]),
        ({"podSelector": {"matchLabels": {"app": "client"}}}, [CLIENT]),
        ({"podSelector": {"matchLabels": {"app": "other"}}}, []),
        ({"namespaceSelector": {}}, [CLIENT, ABROAD]),
        ({"namespaceSelector": {"matchLabels": {"team": "blue"}}}, [ABROAD]),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, [OUTSIDE]),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, []),
    ],
)
def test_peer_is_who_its_selectors_name_together(peer: dict[str, Any], allowed: list[End]) -> None:
    network = make_network(policyTypes=["Ingress"], ingress=[{"from": [peer]}])
    assert [one for one in (CLIENT, ABROAD, OUTSIDE) if network.allows(one, WEB, 8080)] == allowed


def test_port_is_a_number_or_a_name_of_the_target_and_has_a_protocol() -> None:
    network = make_network(policyTypes=["Ingress"], ingress=[{"ports": [{"port": "http"}, {"port": 53, "protocol": "UDP"}]}])
    assert [network.allows(CLIENT, WEB, port) for port in (8080, 53, 9090)] == [True, False, False]
    assert network.allows(CLIENT, WEB, 53, "UDP")


def test_both_ends_have_to_allow_it() -> None:
    network = make_network(policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])
    assert network.allows(WEB, OUTSIDE, 443)
    assert not network.allows(WEB, CLIENT, 443)
    assert network.allows(CLIENT, WEB, 8080)


def test_selector_that_is_not_understood_is_not_passed_over() -> None:
    network = make_network(policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {"matchExpressions": []}}]}])
    with pytest.raises(NotImplementedError):
        network.allows(CLIENT, WEB, 8080)
