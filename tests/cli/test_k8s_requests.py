"""Claims about what `deploy k8s` asks of the use cases for what was typed and configured."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.image import ImageSettings
from dockyard.domain.k8s import ClusterAccess, K8sPlace, K8sPolicy, K8sSettings
from dockyard.domain.k8s_exposure import Exposure, HttpRoute, Ingress
from dockyard.domain.k8s_monitoring import Alerts, Monitoring
from dockyard.domain.k8s_pods import Peer, Toleration
from dockyard.domain.k8s_scaling import Autoscaling, CronTrigger, PrometheusTrigger
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import K8sDeployRequest
from support.fake_kit import CommandLine

CONFIG = """
image: {repository: registry.example.com/models}
environments:
  prod:
    target: k8s
    env: {A: file}
    history_limit: 2
    smoke_requests: 7
    ready_timeout_seconds: 11
    grace_seconds: 12
    request_timeout_seconds: 13
    max_body_bytes: 14
    k8s:
      kubeconfig: /etc/kube
      context: production
      namespace: models
      force_conflicts: true
      replicas: 3
      clients: [shop]
      cpu: "1"
      cpu_limit: "3"
      memory: 2Gi
      tmp_size: 1Gi
      env_secrets: [features]
      pull_secrets: [registry]
      node_selector: {disk: ssd, arch: amd64}
"""
PROD = K8sDeployRequest(
    ref=parse_model_ref("wine"),
    key=DeploymentKey(environment="prod", name="wine", target=Target.K8S),
    image=ImageSettings(repository="registry.example.com/models"),
    history_limit=2,
    smoke_requests=7,
    policy=K8sPolicy(replicas=3, clients=("shop",), history_limit=2),
    settings=K8sSettings(
        env=(("A", "file"),),
        env_secrets=("features",),
        cpu="1",
        cpu_limit="3",
        memory="2Gi",
        tmp_size="1Gi",
        pull_secrets=("registry",),
        node_selector=(("arch", "amd64"), ("disk", "ssd")),
        ready_timeout_seconds=11,
        grace_seconds=12,
        request_timeout_seconds=13,
        max_body_bytes=14,
    ),
)


def ask(dockyard: CommandLine, *arguments: str) -> K8sDeployRequest:
    """The request that `deploy k8s` makes."""
    ended = dockyard.deploy("k8s", "-m", "wine", *arguments)
    assert ended.code == 0, ended.err
    verb, request, _ = dockyard.kit.calls[-1]
    assert verb == "deploy"
    assert isinstance(request, K8sDeployRequest)
    return request


def find_place(dockyard: CommandLine, environment: str) -> K8sPlace:
    """What the kit was opened with."""
    settings = dockyard.kit.settings
    assert settings is not None
    return settings.find_environment(environment).k8s


def test_deploy_asks_with_the_defaults_where_nothing_is_said(dockyard: CommandLine) -> None:
    assert ask(dockyard) == K8sDeployRequest(
        ref=parse_model_ref("wine"),
        key=DeploymentKey(environment="k8s", name="wine", target=Target.K8S),
        image=ImageSettings(),
        settings=K8sSettings(),
        policy=K8sPolicy(),
    )


def test_every_key_of_the_file_reaches_the_request(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(CONFIG)
    assert ask(dockyard, "--env", "prod") == PROD


def test_flags_are_laid_over_the_file(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(CONFIG)
    flags = ("--replicas", "5", "--timeout", "99", "-e", "B=flag", "--repository", "other.example.com/m", "--promote")
    request = ask(dockyard, "--env", "prod", *flags)
    assert (request.policy.replicas, request.settings.ready_timeout_seconds) == (5, 99)
    assert request.settings.env == (("A", "file"), ("B", "flag"))
    assert (request.image.repository, request.promote) == ("other.example.com/m", True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("environments: {k8s: {env: {TOKEN: {env: T}}}}", "the secret TOKEN would stand in the Deployment"),
        ("environments: {k8s: {k8s: {memory: much}}}", "environments.k8s.k8s.memory"),
        ("environments: {k8s: {k8s: {namespace: Models}}}", "environments.k8s.k8s.namespace"),
        ("environments: {k8s: {k8s: {replica: 2}}}", "did you mean `replicas`"),
        ("environments: {k8s: {target: local}}", "environment `k8s` is for local, not for k8s"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(dockyard: CommandLine, text: str, words: str) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(text)
    ended = dockyard.deploy("k8s", "-m", "wine")
    assert (ended.code, dockyard.kit.calls) == (2, [])
    assert words in ended.err


def test_access_is_what_file_and_flags_say(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(CONFIG)
    ask(dockyard, "--env", "prod", "--namespace", "other", "--context", "staging")
    place = find_place(dockyard, "prod")
    assert place.access == ClusterAccess(kubeconfig="/etc/kube", context="staging", namespace="other")
    assert place.takes_over
    ask(dockyard, "--as", "ann", "--as-group", "ops", "--as-group", "dev")
    access = find_place(dockyard, "k8s").access
    assert (access.impersonate, access.impersonate_groups) == ("ann", ("ops", "dev"))
    assert not find_place(dockyard, "k8s").takes_over
    ask(dockyard, "--force-conflicts")
    assert find_place(dockyard, "k8s").takes_over


@pytest.mark.parametrize(
    ("text", "exposure"),
    [
        (
            "route: {gateway: all, namespace: gates, section: web, hostnames: ['{name}.test'], path: '/{name}', scheme: http}",
            HttpRoute(
                gateway="all", namespace="gates", section="web", hostnames=("{name}.test",), path="/{name}", scheme="http"
            ),
        ),
        (
            "ingress: {host: '{name}.test', class_name: nginx, path: /v1, tls_secret: tls, annotations: {b: '1', a: '2'}}",
            Ingress(host="{name}.test", class_name="nginx", path="/v1", tls_secret="tls", annotations=(("a", "2"), ("b", "1"))),
        ),
    ],
)
def test_way_in_from_outside_is_policy(dockyard: CommandLine, text: str, exposure: Exposure) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(CONFIG.replace("replicas: 3", f"replicas: 3\n      {text}"))
    assert ask(dockyard, "--env", "prod").policy.exposure == exposure


@pytest.mark.parametrize(
    "text",
    [
        "{route: {gateway: shared, hostnames: [a.test]}, ingress: {host: a.test}}",
        "{route: {gateway: shared, hostnames: []}}",
        "{route: {gateway: shared, hostnames: ['*.test']}}",
        "{route: {gateway: shared, hostnames: ['{model}.test']}}",
        "{ingress: {host: a.test, path: no-slash}}",
    ],
)
def test_way_in_that_cannot_be_is_refused(dockyard: CommandLine, text: str) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(f"environments:\n  prod: {{target: k8s, k8s: {text}}}\n")
    assert dockyard.deploy("k8s", "-m", "wine", "--env", "prod").code == 2


OPTIONS = """
      peers: [{namespace: web, pods: {b: "2", a: "1"}}, {cidr: 10.0.0.0/8}]
      autoscaling:
        min_replicas: 3
        max_replicas: 7
        cpu_percent: 60
        memory_percent: 90
        scale_down_seconds: 60
        prometheus: [{server: "http://p:9090", query: up, threshold: 2.5}]
        cron: [{timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, replicas: 4}]
      monitoring:
        namespace: mon
        labels: {release: p}
        interval_seconds: 5
        alerts: {error_percent: 2, latency_seconds: 0.5, restarts: 4, runbooks: https://docs.example.com/alerts}
        dashboard_labels: {grafana: "1"}
      tolerations: [{key: spot, value: "yes", effect: NoExecute, seconds: 5}]
      affinity: {nodeAffinity: {}}
      gpu: 2
      gpu_resource: amd.com/gpu
      runtime_class: nvidia
      priority_class: high
      service_account: models
      labels: {team: search}
      annotations: {example.com/note: "17"}
"""


def test_every_option_reaches_the_request(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(CONFIG.rstrip() + OPTIONS)
    request = ask(dockyard, "--env", "prod")
    assert request.policy == dataclasses.replace(
        PROD.policy,
        peers=(Peer(namespace="web", pods=(("a", "1"), ("b", "2"))), Peer(cidr="10.0.0.0/8")),
        scaling=Autoscaling(
            min_replicas=3,
            max_replicas=7,
            cpu_percent=60,
            memory_percent=90,
            scale_down_seconds=60,
            prometheus=(PrometheusTrigger(server="http://p:9090", query="up", threshold="2.5"),),
            cron=(CronTrigger(timezone="UTC", start="0 8 * * *", end="0 9 * * *", replicas=4),),
        ),
        monitoring=Monitoring(
            namespace="mon",
            labels=(("release", "p"),),
            interval_seconds=5,
            alerts=Alerts(error_percent=2, latency_seconds=0.5, restarts=4, runbooks="https://docs.example.com/alerts"),
            dashboard_labels=(("grafana", "1"),),
        ),
    )
    assert request.settings == dataclasses.replace(
        PROD.settings,
        tolerations=(Toleration(key="spot", value="yes", effect="NoExecute", seconds=5),),
        affinity='{"nodeAffinity": {}}',
        gpu=2,
        gpu_resource="amd.com/gpu",
        runtime_class="nvidia",
        priority_class="high",
        service_account="models",
        labels=(("team", "search"),),
        annotations=(("example.com/note", "17"),),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{peers: [{}]}", "must have `cidr`, or else `namespace` or `pods`"),
        ("{peers: [{cidr: 10.0.0.0/8, namespace: web}]}", "must have `cidr`, or else"),
        ("{peers: [{cidr: 10.0.0.1/8}]}", "is no range of addresses"),
        ("{autoscaling: {min_replicas: 3, max_replicas: 2, cpu_percent: 1}}", "more pods in `min_replicas`"),
        ("{autoscaling: {max_replicas: 2}}", "needs `cpu_percent`"),
        ("{tolerations: [{key: a, seconds: 3}]}", "only the effect NoExecute knows"),
        ("{tolerations: [{value: a}]}", "has a value and no key"),
        ("{labels: {dockyard.io/environment: other}}", "begins as Dockyard's own ones do"),
        ("{annotations: {app.kubernetes.io/name: other}}", "begins as Dockyard's own ones do"),
        ("{labels: {team: not a value}}", "labels.team"),
        ("{monitoring: {alerts: {error_percent: 0}}}", "error_percent"),
    ],
)
def test_option_that_makes_no_sense_is_refused_before_anything_is_asked(dockyard: CommandLine, text: str, words: str) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(f"environments:\n  prod: {{target: k8s, k8s: {text}}}\n")
    ended = dockyard.deploy("k8s", "-m", "wine", "--env", "prod")
    assert (ended.code, dockyard.kit.calls) == (2, [])
    assert words in ended.err.replace("\n", " ")


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ("status",),
            ("status", "wine"),
            ("drift",),
            ("drift", "wine"),
            ("history", "wine"),
            ("logs", "wine"),
            ("predict", "wine"),
        ),
        *(("rollback", "wine"), ("promote", "wine"), ("delete", "wine"), ("doctor", "k8s")),
    ],
)
def test_every_verb_finds_what_was_deployed_with_the_same_options(dockyard: CommandLine, arguments: tuple[str, ...]) -> None:
    dockyard(*arguments, "--namespace", "shop", "--context", "staging")
    access = find_place(dockyard, "k8s").access
    assert (access.namespace, access.context) == ("shop", "staging")


def test_options_that_are_for_a_cluster_choose_its_environment(dockyard: CommandLine) -> None:
    dockyard("predict", "wine", "--namespace", "shop")
    dockyard("status", "--context", "staging")
    predicted, status = dockyard.kit.calls
    assert predicted[1] == DeploymentKey(environment="k8s", name="wine", target=Target.K8S)
    assert status == ("status", "k8s", None)


def test_place_that_options_name_is_that_of_the_environment_that_was_chosen(dockyard: CommandLine) -> None:
    file = dockyard.folder / "dockyard.yaml"
    file.write_text("environments: {edge: {target: k8s, k8s: {namespace: models, context: edge}}}")
    dockyard("predict", "edge/wine", "-n", "shop")
    access = find_place(dockyard, "edge").access
    assert (access.namespace, access.context) == ("shop", "edge")
