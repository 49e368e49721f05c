"""Helpers for tests: of this package, and of apps that use it."""
