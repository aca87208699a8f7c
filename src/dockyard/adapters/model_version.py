"""Owns putting a ModelVersion together: what the files say, with what is known of where they came from."""

from __future__ import annotations

import dataclasses

from dockyard.adapters.model_cache import CachedModel
from dockyard.adapters.model_files import has_example, read_facts, read_requirements
from dockyard.domain.model import ModelIdentity, ModelVersion
from dockyard.ports import ResolvedModel


def describe_version(cached: CachedModel, origin: ModelIdentity, what: str) -> ResolvedModel:
    """Describe cached files; `origin` tells where they came from, and the files fill in run and model id.

    `what` names the model in errors. Raises UsageError `model-invalid`, `model-without-pyfunc`.
    """
    facts = read_facts(cached.folder, what)
    requirements = read_requirements(cached.folder, what)
    identity = dataclasses.replace(
        origin, digest=cached.digest, model_id=origin.model_id or facts.model_id, run_id=origin.run_id or facts.run_id
    )
    version = ModelVersion(
        identity=identity,
        flavors=facts.flavors,
        signature=facts.signature,
        requirements=requirements.requirements,
        constraints=requirements.constraints,
        python=facts.python,
        size_bytes=cached.size_bytes,
        created=facts.created,
        has_input_example=has_example(cached.folder, facts),
    )
    return ResolvedModel(version=version, folder=cached.folder)
