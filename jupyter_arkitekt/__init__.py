"""Arkitekt in the notebook. See ``docs/architecture.md`` for the house."""

__version__ = "0.1.0"
