"""The documentation as a web site: README and docs in the order in which a newcomer needs them, the
API from its docstrings, search.

    python recipes/build_site.py --out site

`make site` does that. Needs `zensical` and `mkdocstrings-python` (in the extra dev). Warnings, such
as a link that leads nowhere, end it with an error. Nothing of the site is loaded from elsewhere.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
PAGES: dict[str, tuple[str, ...]] = {
    "Using it": ("data", "generation", "cache", "recognition", "does_it_help", "studio", "values"),
    "How it works": ("aus", "modulation", "generator", "skin", "gallery", "superres", "quality"),
    "Going on": ("extending",),
}
"""Pages of docs/ by chapter, in reading order; one that is not there yet is left out."""
ROOMS = {
    "famaug": "The two classes of every training script, and the values they give.",
    "famaug.data": "Readers, folds, the guard, mixing, looks.",
    "famaug.generation": "Clips made beforehand.",
    "famaug.store": "The clip cache.",
    "famaug.recognition": "Recognisers, their inputs and scores.",
    "famaug.plot": "Figures.",
    "famaug.weights": "What ships, what is fetched.",
    "famaug.testing": "Replicas of data sets, for tests.",
}
PROTOCOLS = {
    "famaug.aus.protocol": "What an estimator of AUs must be.",
    "famaug.generator.renderers": "What a generator must be.",
    "famaug.data.protocols": "What a data set must be.",
    "famaug.errors": "Errors.",
}
MARK = ".famaug-site"
"""What a folder holds that may be replaced."""
FENCE = re.compile(r"^```(python|sh) .*$", re.MULTILINE)
"""Notes behind a fence's language are for the tests (tests/docs/documents.py)."""
Nav = list[dict[str, object]]


def main(
    out: Annotated[Path, typer.Option(help="Folder to write; an old site in it is replaced.")],
) -> None:
    """Build it."""
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        sys.exit(f"{out} holds something that is no site; give another folder, or empty it")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        write_source(source)
        built = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--strict", "-f", source / "mkdocs.yml"],
            cwd=source,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        # the reader of docstrings only logs what it cannot read
        unread = [line for line in built.stdout.splitlines() if line.startswith("griffe: ")]
        if built.returncode or unread:
            sys.exit("\n".join(unread) or built.stdout)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(source / "site", out)
        (out / MARK).touch()
    print(f"{out / 'index.html'}: {len(list(out.rglob('*.html')))} pages")


def write_source(folder: Path) -> None:
    """Pages as the site's builder wants them, and its configuration."""
    pages = folder / "docs"
    shutil.copytree(ROOT / "docs", pages)
    (pages / "index.md").write_text(_of_readme((ROOT / "README.md").read_text()))
    for name in ("CHANGELOG", "CONTRIBUTING"):
        (pages / f"{name.lower()}.md").write_text((ROOT / f"{name}.md").read_text())
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (pages / f"{path.stem}.md").write_text("\n\n".join(_cells(path)))
    for page in pages.glob("*.md"):
        page.write_text(FENCE.sub(r"```\1", page.read_text()))
    nav: Nav = [{"famaug": "index.md"}]
    for chapter, names in PAGES.items():
        there = [n for n in names if (pages / f"{n}.md").exists()]
        nav.append({chapter: [{title_of(pages / f"{n}.md"): f"{n}.md"} for n in there]})
    listed = {n for names in PAGES.values() for n in names}
    if left := sorted({p.stem for p in (ROOT / "docs").glob("*.md")} - listed):
        sys.exit(f"PAGES of {Path(__file__).name} does not list {', '.join(left)}")
    notebooks = [pages / f"{p.stem}.md" for p in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    nav.append({"Notebooks": [{title_of(page): page.name} for page in notebooks]})
    nav.append({"API": list(_reference(pages))})
    nav.append({"Changes": "changelog.md"})
    nav.append({"Contributing": "contributing.md"})
    # JSON is YAML
    (folder / "mkdocs.yml").write_text(json.dumps(configuration(nav)))


def title_of(page: Path) -> str:
    """The first heading, up to its colon."""
    heading = page.read_text().splitlines()[0].lstrip("# ")
    return heading.partition(":")[0]


def configuration(nav: Nav) -> dict[str, object]:
    """What the builder is told."""
    return {
        "site_name": "famaug",
        "site_description": "Micro-expression data augmentation for PyTorch",
        "docs_dir": "docs",
        "site_dir": "site",
        "use_directory_urls": False,  # pages work from a folder, without a server
        "theme": {
            "name": "material",
            "font": False,
            "features": [
                "navigation.sections", "navigation.top", "content.code.copy", "toc.follow",
            ],
            "palette": [
                {
                    "media": "(prefers-color-scheme: light)", "scheme": "default",
                    "toggle": {"icon": "lucide/sun", "name": "To the dark page"},
                },
                {
                    "media": "(prefers-color-scheme: dark)", "scheme": "slate",
                    "toggle": {"icon": "lucide/moon", "name": "To the light page"},
                },
            ],
        },
        "plugins": [
            "search",
            {"mkdocstrings": {"handlers": {"python": {
                "paths": [str(ROOT)],
                "options": {
                    "docstring_style": "google", "show_root_heading": True, "heading_level": 2,
                    "show_root_full_path": False, "show_source": False, "members_order": "source",
                    "separate_signature": True, "show_signature_annotations": True,
                    "show_if_no_docstring": False, "merge_init_into_class": True,
                },
            }}}},
        ],
        "markdown_extensions": [
            "tables", "attr_list", "md_in_html", {"toc": {"permalink": True}},
            "pymdownx.highlight", "pymdownx.superfences",
        ],
        "nav": nav,
    }  # fmt: skip


def _of_readme(text: str) -> str:
    """README as a page beside the others."""
    return re.sub(r"\]\(notebooks/(\w+)\.ipynb\)", r"](\1.md)", text.replace("](docs/", "]("))


def _cells(notebook: Path) -> Iterator[str]:
    """A notebook's text and code, as a page."""
    for cell in json.loads(notebook.read_text())["cells"]:
        text = "".join(cell["source"])
        yield text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"


def _reference(pages: Path) -> Iterator[dict[str, object]]:
    """Writes the pages of the API; their places in the menu."""
    (pages / "api").mkdir()
    for module, what in {**ROOMS, **PROTOCOLS}.items():
        if find_spec(module) is None:
            continue
        page = f"api/{module}.md"
        text = [f"# {module}", "", what, ""]
        for name in public(module):
            text += [f"::: {name}", ""]
        (pages / page).write_text("\n".join(text))
        yield {module: page}


def public(module: str) -> list[str]:
    """Classes and functions that a module offers, and their bases, by where they are defined."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or [
        name for name, value in vars(found).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module
    ]  # fmt: skip
    values = [getattr(found, name) for name in names]
    bases = [b for v in values if inspect.isclass(v) for b in v.__bases__ if b not in values]
    return list(
        dict.fromkeys(
            f"{value.__module__}.{value.__qualname__}"
            for value in [*values, *bases]
            if (inspect.isclass(value) or inspect.isfunction(value))
            and value.__module__.startswith("famaug.")
            and not value.__name__.startswith("_")
        )
    )


if __name__ == "__main__":
    typer.run(main)
