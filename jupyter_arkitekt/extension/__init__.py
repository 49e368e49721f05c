"""What ``%load_ext arkitekt`` does: sign the kernel in, say who and where, and offer the ``%arkitekt`` line."""

from __future__ import annotations

from jupyter_arkitekt.extension._load import load, unload

__all__ = ["load", "unload"]
