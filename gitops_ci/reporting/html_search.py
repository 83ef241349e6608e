"""The search field of a page: rows and folded parts without the words are hidden.

The page allows this one script by its hash. Where scripts are forbidden, the field stays hidden and nothing is lost.
"""

from __future__ import annotations

import base64
import hashlib

__all__ = ["SEARCH", "SEARCH_STYLE", "script_source"]

_SCRIPT = """
const field = document.getElementById("search"), count = document.getElementById("found");
const parts = document.querySelectorAll("tbody tr, details");
field.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let found = 0;
  for (const part of parts) {
    const text = part.textContent.toLowerCase();
    part.hidden = !words.every((word) => text.includes(word));
    found += part.hidden ? 0 : 1;
  }
  count.textContent = words.length ? `${found} of ${parts.length}` : "";
});
"""
SEARCH = (
    '<p class="search"><input id="search" type="search" placeholder="Search" aria-label="Search" hidden>'
    ' <span id="found" class="dim" role="status"></span></p>'
)
SEARCH_STYLE = """
.search { position: sticky; top: 0; z-index: 1; margin: .5rem 0; background: Canvas }
input { font: inherit; width: 20rem; max-width: 70%; padding: .3rem .6rem }
.dim { opacity: .7 }
@media print { .search { display: none } }
"""


def script_source() -> tuple[str, str]:
    """The script's element, and what the page's policy allows for it."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    return f"<script>{_SCRIPT}</script>", f"script-src 'sha256-{digest}'"
