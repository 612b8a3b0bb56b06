"""Names that users write: near misses, and modules of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from famaug.errors import InputError, MissingPackageError
from famaug.named import did_you_mean, import_named

ROOT = Path(__file__).resolve().parents[1]
KNOWN = {"folder": "famaug.data.clips:ClipFolder"}


def test_near_misses() -> None:
    assert did_you_mean("epohcs", ["epochs", "steps"], "training.") == (
        "; did you mean training.epochs?"
    )
    assert did_you_mean("EPOCHS", ["epochs"]) == "; did you mean epochs?"
    assert did_you_mean("zzz", ["epochs"]) == ""


def test_short_names_and_modules() -> None:
    from famaug.data.clips import ClipFolder

    assert import_named("folder", "reader", KNOWN) is ClipFolder
    assert import_named("famaug.data:ClipFolder", "reader") is ClipFolder


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foldr", "no reader 'foldr'; there are folder, or module:Class; did you mean folder?"),
        ("famaug.data", "module:Class"),
        (":Net", "module:Class"),
        ("famaug.nowhere:Net", "No module named 'famaug.nowhere'"),
        ("..up:Net", "cannot be imported"),
        ("famaug.data:ClipFoldr", "famaug.data has no ClipFoldr; did you mean ClipFolder?"),
    ],
)
def test_what_is_wrong_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        import_named(text, "reader", KNOWN)
    assert said in str(error.value)


def test_mistakes_in_a_module_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "unreadable_net.py").write_text("class Net(:\n")
    (tmp_path / "needing_net.py").write_text(
        "import sys\nsys.modules['ray'] = None\n"
        "from famaug.packages import need\nneed('ray', 'this net')\n"
    )
    with pytest.raises(InputError, match=r"recogniser 'unreadable_net:Net': .*SyntaxError"):
        import_named("unreadable_net:Net", "recogniser")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match="this net needs ray"):
        import_named("needing_net:Net", "recogniser")


def test_modules_lie_where_the_user_works(tmp_path: Path) -> None:
    """An installed script's path begins at the script, not at the working folder."""
    (tmp_path / "own.py").write_text("class Net:\n    pass\n")
    code = (
        "import sys; sys.path = [p for p in sys.path if p not in ('', sys.argv[1])];"
        "from famaug.named import import_named; print(import_named('own:Net', 'net').__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "Net\n", done.stderr
