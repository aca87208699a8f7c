"""The scoring server that goes into every serving image.

Owns the HTTP face of a model. Imports nothing from `dockyard`, and this package module and `proof` nothing outside
the standard library, so that the image builder and the deployer may read them without the server's dependencies.
"""

from __future__ import annotations

from dockyard_scorer.layer import REQUIREMENTS, layer_files, scorer_digest

__version__ = "0.1.0"

__all__ = ["REQUIREMENTS", "__version__", "layer_files", "scorer_digest"]
