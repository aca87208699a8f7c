"""The objects of a blueprint: fit for production by default, and equal for equal blueprints."""

from __future__ import annotations

import pytest

from dockyard.adapters.k8s.labels import is_ours, read_key, read_policy, read_revision, select_deployment
from dockyard.adapters.k8s.manifests import Manifest, render_manifests
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.k8s import Blueprint, K8sPolicy, derive_object_name
from dockyard.domain.k8s_exposure import HttpRoute, Ingress
from support.k8s_values import KEY, make_blueprint
from support.k8s_variants import ROUTE, VARIANTS, assert_fit


@pytest.fixture(params=VARIANTS)
def blueprint(request: pytest.FixtureRequest) -> Blueprint:
    return VARIANTS[request.param]


def render(blueprint: Blueprint) -> dict[str, Manifest]:
    return {one["kind"]: one for one in render_manifests(blueprint, "models")}


def test_checklist_of_production_holds(blueprint: Blueprint) -> None:
    assert_fit(render_manifests(blueprint, "models"), blueprint)


def test_every_object_is_known_again_and_in_its_namespace(blueprint: Blueprint) -> None:
    for one in render_manifests(blueprint, "models"):
        labels = one["metadata"]["labels"]
        assert (one["metadata"]["name"], one["metadata"]["namespace"]) == ("wine", "models")
        assert read_key(labels) == KEY
        assert is_ours(labels, KEY)
        assert not is_ours({**labels, "dockyard.io/environment": "prod"}, KEY)


def test_all_select_the_same_pods(blueprint: Blueprint) -> None:
    objects = render(blueprint)
    selector = select_deployment(KEY)
    assert objects["Service"]["spec"]["selector"] == selector
    assert objects["Deployment"]["spec"]["selector"]["matchLabels"] == selector
    assert selector.items() <= objects["Deployment"]["spec"]["template"]["metadata"]["labels"].items()


def test_pod_template_tells_its_revision(blueprint: Blueprint) -> None:
    deployment = render(blueprint)["Deployment"]
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert read_revision(annotations) == (blueprint.number, blueprint.spec, blueprint.image)
    assert read_policy(deployment["metadata"]["annotations"]) == blueprint.policy


def test_equal_blueprints_give_equal_objects_and_a_policy_is_not_in_the_pod_template(blueprint: Blueprint) -> None:
    assert render_manifests(blueprint, "models") == render_manifests(blueprint, "models")
    more = make_blueprint(policy=K8sPolicy(replicas=7))
    templates = [render(one)["Deployment"]["spec"]["template"] for one in (make_blueprint(), more)]
    assert templates[0] == templates[1]


def test_values_arrive_as_they_are() -> None:
    deployment = render(VARIANTS["all"])["Deployment"]["spec"]["template"]["spec"]
    (container,) = deployment["containers"]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert env["TEXT"] == "'\"{{ }}: # \n<&"
    assert (env["DOCKYARD_REVISION"], env["DOCKYARD_GRACE_SECONDS"]) == ("1", "60")
    assert container["envFrom"] == [{"secretRef": {"name": "feature-store"}}]
    assert deployment["imagePullSecrets"] == [{"name": "registry"}]
    assert deployment["nodeSelector"] == {"disk": "ssd"}


def test_named_clients_are_the_only_ones() -> None:
    policy = render(VARIANTS["all"])["NetworkPolicy"]["spec"]
    (rule,) = policy["ingress"]
    names = [one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for one in rule["from"]]
    assert (names, policy["policyTypes"]) == (["shop", "web"], ["Ingress", "Egress"])


def test_route_leads_from_gateway_listener_hosts_and_path_to_the_service_and_takes_the_path_away() -> None:
    route = render(VARIANTS["route"])["HTTPRoute"]["spec"]
    assert route["parentRefs"] == [{"name": "shared", "namespace": "gateways", "sectionName": "web"}]
    assert route["hostnames"] == ["wine.example.com", "models.test"]
    (rule,) = route["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/wine/v1"}}]
    assert rule["filters"][0]["urlRewrite"]["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
    assert rule["backendRefs"] == [{"name": "wine", "port": 80, "weight": 1}]
    assert ROUTE.derive_url("wine") == "https://wine.example.com/wine/v1"


def test_route_for_a_whole_host_rewrites_nothing_and_is_of_the_own_namespace() -> None:
    exposure = HttpRoute(gateway="own", hostnames=("wine.test",), scheme="http")
    route = render(make_blueprint(policy=K8sPolicy(exposure=exposure)))["HTTPRoute"]["spec"]
    assert (route["parentRefs"], "filters" in route["rules"][0]) == ([{"name": "own"}], False)
    assert exposure.derive_url("wine") == "http://wine.test"


def test_ingress_has_class_host_path_and_certificate() -> None:
    exposure = Ingress(
        host="{name}.example.com",
        class_name="nginx",
        path="/invocations",
        tls_secret="{name}-tls",
        annotations=(("nginx.ingress.kubernetes.io/proxy-body-size", "100m"),),
    )
    ingress = render(make_blueprint(policy=K8sPolicy(exposure=exposure)))["Ingress"]
    assert ingress["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/proxy-body-size": "100m"}
    assert (ingress["spec"]["ingressClassName"], exposure.derive_url("wine")) == (
        "nginx",
        "https://wine.example.com/invocations",
    )
    assert ingress["spec"]["tls"] == [{"hosts": ["wine.example.com"], "secretName": "wine-tls"}]
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("wine.example.com", "/invocations", "Prefix")
    assert path["backend"] == {"service": {"name": "wine", "port": {"name": "http"}}}
    plain = render(VARIANTS["ingress"])["Ingress"]
    assert ({"tls", "ingressClassName"} & plain["spec"].keys(), "annotations" in plain["metadata"]) == (set(), False)
    assert Ingress(host="wine.test").derive_url("wine") == "http://wine.test"


@pytest.mark.parametrize("name", ["wine", "Wine_2", "9-lives", "a" * 63])
def test_object_names_are_legal_and_stable(name: str) -> None:
    derived = derive_object_name(DeploymentKey(environment="k8s", name=name, target=Target.K8S))
    assert derived.replace("-", "").isalnum()
    assert (derived == derived.lower(), len(derived) <= 63, derived[0].isalpha()) == (True, True, True)
    assert derived == name or derived.rpartition("-")[2].isalnum()


@pytest.mark.parametrize(
    "annotations",
    [{}, {"dockyard.io/revision": "x"}, {"dockyard.io/revision": "1"}, {"dockyard.io/revision": "1", "dockyard.io/spec": "{"}],
)
def test_template_of_somebody_else_is_no_revision(annotations: dict[str, str]) -> None:
    assert read_revision(annotations) is None


def test_labels_and_annotations_of_somebody_else_are_not_ours() -> None:
    assert read_key({"app.kubernetes.io/managed-by": "Helm"}) is None
    assert read_key({"dockyard.io/environment": "k8s"}) is None
    assert read_policy({}) is None
    assert read_policy({"dockyard.io/policy": "[]"}) is None
