"""NiceGUI, which pages are made of; only the studio needs it."""

from __future__ import annotations

from typing import Any

from famaug.packages import need

_nicegui = need("nicegui", "famaug studio")
ui: Any = _nicegui.ui
app: Any = _nicegui.app
"""Elements of pages, and the server that they hang on."""
