"""Write the sources of the documentation site: the pages of docs/, the README as its first page, and the reference.

    $ python scripts/build_site.py site && zensical build --strict --config-file site/mkdocs.yml

The reference is made from the program each time, so nothing of it can be out of date.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gitops_ci.project import HOME  # noqa: E402
from scripts.reference_pages import reference_pages  # noqa: E402

_LINK = re.compile(r"(?<!!)\]\(([^)\s#]+)(#[^)\s]*)?\)")


_PICTURES = (".png", ".svg")


def pages() -> dict[str, str]:
    """Every page of the site, by its path."""
    found = {"index.md": _for_site((ROOT / "README.md").read_text(), "README.md")}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        name = path.relative_to(ROOT / "docs").as_posix()
        found[name] = _for_site(path.read_text(), f"docs/{name}")
    return found | {f"reference/{name}": text for name, text in reference_pages().items()}


def _for_site(text: str, page: str) -> str:
    """A page whose links lead to pages of the site, and to the repository for what is not on it."""

    def link(found: re.Match[str]) -> str:
        target, anchor = found[1], found[2] or ""
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        if path == "README.md":
            aim = "index.md"
        elif path.startswith("docs/") and path.endswith((".md", *_PICTURES)):
            aim = path.removeprefix("docs/")
        else:
            kind = "tree" if (ROOT / path).is_dir() else "blob"
            return f"]({HOME}/{kind}/main/{path}{anchor})"
        here = posixpath.dirname(page.removeprefix("docs/")) if page.startswith("docs/") else ""
        return f"]({posixpath.relpath(aim, here or '.')}{anchor})"

    return _LINK.sub(link, text)


def write(folder: Path) -> None:
    for name, text in pages().items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in _PICTURES:
            shutil.copyfile(path, folder / "docs" / path.relative_to(ROOT / "docs"))
    (folder / "mkdocs.yml").write_text((ROOT / "mkdocs.yml").read_text())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build_site.py FOLDER")
    write(Path(sys.argv[1]))
