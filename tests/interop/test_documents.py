"""How many of the documents that released clients ship validate against our schemas."""

from __future__ import annotations

import json
import subprocess

import httpx
import pytest
from graphql import build_schema, parse, validate

from tests.interop.conftest import HERE, Witness


def _documents(witness: Witness, package: str) -> dict[str, str]:
    done = subprocess.run(
        [witness.python, HERE / "witness" / "documents.py", package],
        cwd=witness.folder,
        env=witness.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    documents: dict[str, str] = json.loads(done.stdout)[package]
    return documents


def _validating(witness: Witness, package: str, service: str) -> tuple[list[str], dict[str, str]]:
    schema = build_schema(httpx.get(f"{witness.platform.url}/{service}/schema").raise_for_status().text)
    documents = _documents(witness, package)
    refused = {name: errors[0].message for name, text in documents.items() if (errors := validate(schema, parse(text)))}
    return sorted(documents), refused


def test_documents_of_mikro_validate(mikro: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    shipped, refused = _validating(mikro, "mikro_next", "mikro")
    with capsys.disabled():
        print(f"\n{mikro.name}: {len(shipped) - len(refused)} of {len(shipped)} shipped documents validate", end=" ")
    assert len(shipped) == 85
    needed = {"GetImageQuery", "GetRandomImageQuery", "ImagesQuery", "SearchImagesQuery", "GetDatasetQuery"}
    needed |= {"UpdateImageMutation", "WatchImagesSubscription", "CreateDatasetMutation", "FinishZarrUploadMutation"}
    needed |= {name for name in shipped if name.startswith("Request") or name.lower().startswith("from_array")}
    assert not {name: reason for name, reason in refused.items() if name in needed}


def test_documents_of_rekuest_validate(rekuest: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    shipped, refused = _validating(rekuest, "rekuest_next", "rekuest")
    with capsys.disabled():
        print(f"\nrekuest 2.3.1: {len(shipped) - len(refused)} of {len(shipped)} shipped documents validate", end=" ")
    assert len(shipped) == 51
    assert not refused
