"""The image builder: from locked requirements, a scorer and a model to an image in a store or a registry, without an engine.

Owns locks, layers, the store and the registry client. Imports nothing from dockyard or dockyard_scorer, prints nothing, and
keeps no global state. Each part is explained in its own module.
"""

from dockyard_image.base import ResolvedBase, host_base, resolve_base
from dockyard_image.build import DirectRecipe, append_layer, build_direct
from dockyard_image.credentials import (
    CredentialProvider,
    Credentials,
    DockerConfig,
    Secret,
    open_docker_config,
)
from dockyard_image.errors import (
    ImageError,
    InvalidReferenceError,
    LockError,
    RecipeError,
    RegistryError,
    StoreError,
    WheelError,
)
from dockyard_image.fingerprint import FingerprintParts, digest_files, fingerprint
from dockyard_image.image import StoredImage, StoredLayer
from dockyard_image.indexes import IndexSettings, read_index_settings
from dockyard_image.lock import LockRequest, lock_requirements
from dockyard_image.lockfile import Lock, LockedWheel
from dockyard_image.media import Dialect
from dockyard_image.progress import Progress
from dockyard_image.push import fetch_base_layers, push
from dockyard_image.reference import ImageReference, parse_reference
from dockyard_image.registries import Registries, RegistrySettings
from dockyard_image.requirements import RequirementSet, read_requirements, rewrite_requirements
from dockyard_image.retry import RetryPolicy
from dockyard_image.store import Collected, ImageStore
from dockyard_image.wheels import WheelCache

__all__ = [
    "Collected",
    "CredentialProvider",
    "Credentials",
    "Dialect",
    "DirectRecipe",
    "DockerConfig",
    "FingerprintParts",
    "ImageError",
    "ImageReference",
    "ImageStore",
    "IndexSettings",
    "InvalidReferenceError",
    "Lock",
    "LockError",
    "LockRequest",
    "LockedWheel",
    "Progress",
    "RecipeError",
    "Registries",
    "RegistryError",
    "RegistrySettings",
    "RequirementSet",
    "ResolvedBase",
    "RetryPolicy",
    "Secret",
    "StoreError",
    "StoredImage",
    "StoredLayer",
    "WheelCache",
    "WheelError",
    "append_layer",
    "build_direct",
    "digest_files",
    "fetch_base_layers",
    "fingerprint",
    "host_base",
    "lock_requirements",
    "open_docker_config",
    "parse_reference",
    "push",
    "read_index_settings",
    "read_requirements",
    "resolve_base",
    "rewrite_requirements",
]
