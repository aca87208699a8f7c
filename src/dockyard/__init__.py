"""Dockyard puts models that MLflow logged into service. See `docs/explanation/architecture.md` for the map."""

__version__ = "0.1.0"
