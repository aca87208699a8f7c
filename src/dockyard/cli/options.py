"""Owns the options that several commands share: one name, one meaning, one help text each."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.models import OptionInfo

from dockyard.cli.completion import complete_deployment, complete_environment
from dockyard.domain.deployment import Runtime, Target
from dockyard.domain.image import BuilderKind
from dockyard.domain.k8s_rollout import K8sRolloutKind
from dockyard.domain.rendering import RenderForm
from dockyard.domain.sagemaker import RolloutKind
from dockyard.domain.sagemaker_batch import Assembly, Split, Strategy


def _name_environment(text: str) -> OptionInfo:
    """The option `--env` with a help text."""
    option: OptionInfo = typer.Option(
        "--env", metavar="ENVIRONMENT", help=text, show_default=False, autocompletion=complete_environment
    )
    return option


ModelOption = Annotated[
    str,
    typer.Option(
        "-m",
        "--model",
        metavar="MODEL",
        help="A registered model's name, models:/name/3, models:/name@alias, runs:/ID/PATH, a folder or s3://...",
        show_default=False,
    ),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="The deployment's name; by default it is made of the model's.", show_default=False
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The deployment, as NAME or ENVIRONMENT/NAME.",
        show_default=False,
        autocompletion=complete_deployment,
    ),
]
AnyNameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="The deployment, as NAME or ENVIRONMENT/NAME; all where it is left out.",
        show_default=False,
        autocompletion=complete_deployment,
    ),
]
EnvironmentOption = Annotated[str | None, _name_environment("The environment; else DOCKYARD_ENV, else `local`.")]
SageMakerEnvironmentOption = Annotated[str | None, _name_environment("The environment; else DOCKYARD_ENV, else `sagemaker`.")]
K8sEnvironmentOption = Annotated[str | None, _name_environment("The environment; else DOCKYARD_ENV, else `k8s`.")]
NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "-n",
        "--namespace",
        metavar="NAMESPACE",
        help="On Kubernetes: the namespace; by default the context's.",
        show_default=False,
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="CONTEXT",
        help="On Kubernetes: the client configuration's context; by default the current one.",
        show_default=False,
    ),
]
ImpersonateOption = Annotated[
    str | None, typer.Option("--as", metavar="USER", help="Act in the cluster as this user.", show_default=False)
]
ImpersonateGroupsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--as-group", metavar="GROUP", help="With --as: a group that the user is in. May be given again.", show_default=False
    ),
]
ReplicasOption = Annotated[
    int | None, typer.Option("--replicas", min=1, metavar="NUMBER", help="How many pods; 2 by default.", show_default=False)
]
ForceConflictsOption = Annotated[
    bool, typer.Option("--force-conflicts", help="Take over fields that another manager of the objects owns.")
]
OnlyEnvironmentOption = Annotated[str | None, _name_environment("Only what is in this environment.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Show what would be done, and change nothing.")]
DetailedOption = Annotated[bool, typer.Option("--detailed-exitcode", help="With --plan: exit with 4 where there are changes.")]
PromoteOption = Annotated[
    bool, typer.Option("--promote", help="Point the alias that is called as the environment at the version once it serves.")
]
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=65535,
        metavar="PORT",
        help="The port for clients; by default the one it has, else a free one.",
        show_default=False,
    ),
]
RuntimeOption = Annotated[
    Runtime | None,
    typer.Option(
        "--runtime",
        help="How it runs; `auto` by default: Docker where an engine answers.",
        show_default=False,
    ),
]
VariablesOption = Annotated[
    list[str] | None,
    typer.Option(
        "-e",
        "--set-env",
        metavar="KEY=VALUE",
        help="An environment variable for the model; KEY alone takes it from here. May be given again.",
        show_default=False,
    ),
]
LockWaitOption = Annotated[
    float,
    typer.Option(
        "--lock-wait",
        min=0,
        metavar="SECONDS",
        help="How long to wait while another command changes it; 0 by default.",
        show_default=False,
    ),
]
TimeoutOption = Annotated[
    int | None,
    typer.Option(
        "--timeout",
        min=1,
        max=86_400,
        metavar="SECONDS",
        help="How long a revision may take to become ready.",
        show_default=False,
    ),
]
BuilderOption = Annotated[
    BuilderKind | None,
    typer.Option(
        "--builder",
        help="Which builder makes the image; `auto` by default.",
        show_default=False,
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base", metavar="IMAGE", help="The base image; {python} stands for the model's minor version.", show_default=False
    ),
]
CacheDaysOption = Annotated[
    int,
    typer.Option("--cache-days", min=1, metavar="DAYS", help="How long packages and models are kept that nothing uses."),
]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Do not stay until it serves; the same command again does.")]
InstanceOption = Annotated[
    str | None,
    typer.Option("--instance", metavar="TYPE", help="The instance type; ml.m5.large by default.", show_default=False),
]
CountOption = Annotated[
    int | None, typer.Option("--count", min=1, metavar="NUMBER", help="How many instances; 1 by default.", show_default=False)
]
RolloutOption = Annotated[
    RolloutKind | None,
    typer.Option("--rollout", help="How traffic moves to the new revision; `all-at-once` by default.", show_default=False),
]
K8sRolloutOption = Annotated[
    K8sRolloutKind | None,
    typer.Option("--rollout", help="How the new revision comes; `rolling` by default.", show_default=False),
]
PauseOption = Annotated[
    bool,
    typer.Option("--pause", help="Stand still at the first share, blue-green before it, until `promote` or `rollback`."),
]
RoleOption = Annotated[
    str | None,
    typer.Option(
        "--role",
        metavar="ARN",
        help="The execution role; by default one of its own, made where it is missing.",
        show_default=False,
    ),
]
RegionOption = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", help="The AWS region; by default the AWS configuration's.", show_default=False),
]
InputOption = Annotated[
    str,
    typer.Option("--input", metavar="S3URI", help="The objects: all whose keys begin so.", show_default=False),
]
OutputOption = Annotated[
    str,
    typer.Option("--output", metavar="S3URI", help="Where answers go, each as OBJECT.out.", show_default=False),
]
BatchContentTypeOption = Annotated[
    str | None,
    typer.Option("--content-type", metavar="TYPE", help="What the objects are; text/csv by default.", show_default=False),
]
AcceptOption = Annotated[
    str | None, typer.Option("--accept", metavar="TYPE", help="What the answers shall be.", show_default=False)
]
SplitOption = Annotated[
    Split | None, typer.Option("--split", help="How objects are cut into records; `none` by default.", show_default=False)
]
AssembleOption = Annotated[
    Assembly | None,
    typer.Option("--assemble", help="How answers are put together; `none` by default: as they come.", show_default=False),
]
StrategyOption = Annotated[
    Strategy | None, typer.Option("--strategy", help="How many records go into a request.", show_default=False)
]
PayloadOption = Annotated[
    int | None, typer.Option("--max-payload", min=0, metavar="MB", help="The largest request.", show_default=False)
]
ConcurrentOption = Annotated[
    int | None,
    typer.Option("--max-concurrent", min=0, metavar="NUMBER", help="Requests at a time on an instance.", show_default=False),
]
JobTimeoutOption = Annotated[
    int | None,
    typer.Option(
        "--timeout", min=1, metavar="SECONDS", help="How long the job may take before it is stopped.", show_default=False
    ),
]
JobNoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Do not stay until it is over; the same command again does.")]
YesOption = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
DoctorTarget = Annotated[
    Target | None,
    typer.Argument(
        metavar="TARGET",
        help="`sagemaker`: the AWS account, `k8s`: the cluster; without it this machine.",
        show_default=False,
    ),
]
DoctorNameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="With a target: the deployment that counts.", show_default=False),
]
DoctorEnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="ENVIRONMENT",
        help="With a target: the environment; else DOCKYARD_ENV, else the one that is called as the target.",
        show_default=False,
        autocompletion=complete_environment,
    ),
]
RefreshPricesOption = Annotated[
    bool, typer.Option("--refresh-prices", help="With sagemaker: fetch the region's prices from AWS first.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Tell more, and show tracebacks.")]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration file; else DOCKYARD_CONFIG, else dockyard.yaml here or above.",
        show_default=False,
    ),
]
PushOption = Annotated[bool, typer.Option("--push", help="Send the image to its repository.")]
RepositoryOption = Annotated[
    str | None,
    typer.Option(
        "--repository", metavar="REPOSITORY", help="Where to send it, without tag; else image.repository.", show_default=False
    ),
]
TagOption = Annotated[
    str | None,
    typer.Option(
        "--tag", metavar="TAG", help="The tag to send it under; by default one made of the fingerprint.", show_default=False
    ),
]
LimitOption = Annotated[int, typer.Option("-n", "--limit", min=1, metavar="NUMBER", help="How many to show.")]
RevisionOption = Annotated[
    int | None,
    typer.Option(
        "--revision",
        min=1,
        metavar="NUMBER",
        help="The revision's number.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    str, typer.Option("-o", "--output", metavar="FOLDER", help="Where the files go; it is made.", show_default=False)
]
FormOption = Annotated[RenderForm, typer.Option("--format", help="Who is to apply the files.")]
ModuleOption = Annotated[
    str,
    typer.Option(
        "--module",
        metavar="SOURCE",
        help="Where Terraform finds the module `endpoint`, as ../modules/endpoint or git::https://...?ref=v1.",
        show_default=False,
    ),
]
RenderNamespaceOption = Annotated[
    str | None,
    typer.Option("-n", "--namespace", metavar="NAMESPACE", help="The namespace; else the environment's.", show_default=False),
]
ImageOption = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="IMAGE",
        help="The image, pushed already, as REPOSITORY@sha256:...; by default it is built and pushed.",
        show_default=False,
    ),
]
RenderRevisionOption = Annotated[
    int | None,
    typer.Option(
        "--revision",
        min=1,
        metavar="NUMBER",
        help="The revision's number; by default the folder's, one more where that holds another revision.",
        show_default=False,
    ),
]
GitUrlOption = Annotated[
    str | None,
    typer.Option(
        "--git-url",
        metavar="URL",
        help="The repository that the folder is committed to; with flux by default the one that Flux was set up from.",
        show_default=False,
    ),
]
GitBranchOption = Annotated[str, typer.Option("--git-branch", metavar="BRANCH", help="The branch that is applied.")]
GitPathOption = Annotated[
    str | None,
    typer.Option(
        "--git-path", metavar="PATH", help="The folder in the repository; by default as given with -o.", show_default=False
    ),
]
FollowOption = Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes in.")]
TailOption = Annotated[int, typer.Option("--tail", min=0, metavar="LINES", help="How many of the last lines to begin with.")]
DataOption = Annotated[
    str | None,
    typer.Option(
        "-d",
        "--data",
        metavar="BODY",
        help="The request's body; @FILE reads a file, @- stdin.",
        show_default=False,
    ),
]
ContentTypeOption = Annotated[
    str,
    typer.Option(
        "--content-type",
        metavar="TYPE",
        help="What the body is: application/json or text/csv.",
    ),
]
