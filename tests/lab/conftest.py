"""Fixtures of the tests on real parts."""

from __future__ import annotations

from support.k8s_yard import k8s_stage, models, yard

__all__ = ["k8s_stage", "models", "yard"]
