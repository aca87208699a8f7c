"""Owns the file of an endpoint as Terraform, and the folder that it goes to. Everything else in the folder is the user's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockyard.adapters.rendered_folder import read_lock, write_files
from dockyard.adapters.rendered_secrets import refuse_secrets
from dockyard.adapters.sagemaker.tags import tell_origin
from dockyard.adapters.terraform.arguments import make_arguments
from dockyard.adapters.terraform.hcl import write_block
from dockyard.domain.rendering import ModuleShape, RenderLock
from dockyard.domain.sagemaker_blueprint import EndpointBlueprint
from dockyard.ports_rendering import FolderChange

_HEAD = "# Rendered by `dockyard render`, which writes it anew: change dockyard.yaml instead.\n"
_VERSIONS = """\
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
}
"""
_OUTPUTS = "".join(
    f"""
output "{name}" {{
  description = "{description}"
  value       = module.endpoint.{name}
}}
"""
    for name, description in {
        "endpoint_name": "Name of the endpoint.",
        "endpoint_arn": "ARN of the endpoint, for the policies of those who call it.",
        "configuration_name": "Name of the configuration that serves; another one after each change.",
    }.items()
)


class TerraformRenderer:
    """Renders into folders of this machine."""

    def render_files(self, blueprint: EndpointBlueprint, shape: ModuleShape) -> Mapping[str, bytes]:
        """Return the files by path. Raises UsageError `secret-found`, `setting-invalid`."""
        spec = blueprint.spec
        variables = {**dict(spec.settings.env), "DOCKYARD_REVISION": str(blueprint.number)}
        named = [{"name": name, "value": value} for name, value in variables.items()]
        refuse_secrets(
            [{"kind": "endpoint", "environment": named}],
            hint="everybody may read an endpoint's environment: have the model fetch it from Secrets Manager, with its role",
        )
        arguments = {"source": shape.source, **make_arguments(blueprint)}
        tags = {**dict(spec.settings.tags), **tell_origin(spec)}
        call = write_block(("module", "endpoint"), arguments, {"environment": variables, "tags": tags})
        return {"main.tf": f"{_HEAD}{_VERSIONS}\n{call}{_OUTPUTS}".encode()}

    def read_lock(self, folder: Path) -> RenderLock | None:
        """What was rendered into a folder last."""
        return read_lock(folder)

    def write_files(self, folder: Path, lock: RenderLock, files: Mapping[str, bytes]) -> FolderChange:
        """Bring a folder to these files. Raises ConflictError `render-conflict`."""
        return write_files(folder, lock, files)
