"""Another distribution with the import name ``arkitekt``."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_arkitekt.app._mix import advice


def test_upstreams_distribution_of_the_same_name_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert advice() is None
    facts = tmp_path / "arkitekt-8.1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: arkitekt\nVersion: 8.1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "pip uninstall arkitekt" in str(advice())
