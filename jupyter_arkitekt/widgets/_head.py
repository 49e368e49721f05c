"""The head of a form: what the function is called and does. Its other half is js/src/form."""

from __future__ import annotations

import traitlets

from jupyter_arkitekt.widgets._bundle import bundled
from jupyter_arkitekt.widgets._card import Card


class FormHead(Card):
    """Name, description, and what keeps the form from running; its style sheet is the whole form's."""

    _esm = bundled("form.js")
    _css = bundled("form.css")

    #: The function's name.
    title = traitlets.Unicode("").tag(sync=True)
    #: What it does; the first paragraph is shown, the rest folded.
    description = traitlets.Unicode("").tag(sync=True)
    #: Short facts beside the name: whose it is, what it gives.
    facts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    #: What keeps the form as a whole from running.
    problem = traitlets.Unicode("").tag(sync=True)

    def plain(self) -> str:
        """Return the text that stands in for the head."""
        return self.title
