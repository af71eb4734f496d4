"""The reference cluster."""

from reference import cluster, secrets

__all__ = ["cluster", "secrets"]
