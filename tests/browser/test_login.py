"""The sign-in card in JupyterLab, with the consent page in the same browser."""

from __future__ import annotations

import pytest

from jupyter_arkitekt.testing import Served
from tests.browser._lab import expect
from tests.browser.conftest import ARTIFACTS, AXE, OpenNotebook

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(300)]


def test_a_person_agrees_on_the_page_and_the_card_becomes_a_line(notebook: OpenNotebook, platform: Served) -> None:
    opened = notebook(f"import os; os.environ['FAKTS_URL'] = {platform.url!r}", "%load_ext arkitekt", "40 + 2")
    card = opened.page.locator(".arkitekt-login")
    expect(card.get_by_role("status")).to_contain_text("Waiting for your consent")
    expect(opened.output(2)).to_contain_text("42")
    expect(card.get_by_text("valid for")).to_be_visible()
    code = card.locator("code").inner_text()
    for theme in ("light", "dark"):
        opened.show(theme)
        opened.picture(ARTIFACTS / f"login-{theme}.png", card)
        assert opened.axe(".arkitekt-login", AXE) == []
    card.get_by_role("button", name="Copy code").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()

    card.get_by_role("button", name="Cancel").click()
    expect(card.get_by_role("status")).to_contain_text("cancelled")
    card.get_by_role("button", name="New code").click()
    expect(card.get_by_role("status")).to_contain_text("Waiting for your consent")
    expect(card.locator("code")).not_to_have_text(code)
    code = card.locator("code").inner_text()

    with opened.page.expect_popup() as popup:
        card.get_by_role("link", name="Open the consent page").click()
    consent = popup.value
    expect(consent.get_by_text(code)).to_be_visible()
    answer = consent.request.post(
        consent.url, form={"decision": "allow", "token": platform.redeem_token()}, headers={"Origin": platform.url}
    )
    assert answer.ok, answer.text()
    consent.close()

    expect(opened.output(1)).to_contain_text("Signed in as")
    expect(card).to_have_count(0)
    assert opened.ask("__import__('arkitekt').images(limit=1) is not None") == "True"
    saved = opened.save()
    assert "Signed in as" in saved
    assert code not in saved
