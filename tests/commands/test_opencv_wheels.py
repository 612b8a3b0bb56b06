"""Which wheels of OpenCV are installed, and whether their files are still their own."""

from __future__ import annotations

from pathlib import Path

from famaug.commands.opencv_wheels import opencv_problems, opencv_wheels


def _install(site: Path, name: str, files: dict[str, str], version: str = "4.10.0") -> None:
    """As pip does: files are overwritten, and RECORD says what belongs to whom."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for file, text in files.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text)
    rows = [f"{file},sha256=x,{len(text)}" for file, text in files.items()]
    (info / "RECORD").write_text("\n".join([*rows, "cv2/__pycache__/__init__.cpython.pyc,,"]))


def _problems(site: Path) -> list[str]:
    return opencv_problems(opencv_wheels([str(site)]))


def test_one_wheel_is_well(tmp_path: Path) -> None:
    _install(tmp_path, "opencv-python-headless", {"cv2/__init__.py": "1", "cv2/cv2.so": "headless"})
    _install(tmp_path, "opencv-notes", {"notes/__init__.py": "no cv2"})
    assert [w.name for w in opencv_wheels([str(tmp_path)])] == ["opencv-python-headless"]
    assert _problems(tmp_path) == []


def test_two_wheels_fight(tmp_path: Path) -> None:
    _install(tmp_path, "opencv-python-headless", {"cv2/__init__.py": "1", "cv2/cv2.so": "headless"})
    _install(
        tmp_path, "opencv-contrib-python",
        {"cv2/__init__.py": "1", "cv2/cv2.so": "with windows", "cv2/qt/a.so": "qt"},
    )  # fmt: skip
    (said,) = _problems(tmp_path)
    assert "opencv-contrib-python 4.10.0, opencv-python-headless 4.10.0" in said
    assert "2 files belong to more than one, those of opencv-contrib-python lie there" in said
    assert "pip uninstall -y opencv-contrib-python opencv-python-headless, then" in said


def test_what_is_left_when_the_other_was_removed(tmp_path: Path) -> None:
    """`pip uninstall opencv-python` takes the headless wheel's files with it."""
    _install(tmp_path, "opencv-python-headless", {"cv2/__init__.py": "1", "cv2/cv2.so": "headless"})
    (tmp_path / "cv2/cv2.so").unlink()
    (said,) = _problems(tmp_path)
    assert "1 of 2 files of cv2 are gone or changed" in said
    assert said.endswith("pip install --force-reinstall --no-deps opencv-python-headless")


def test_this_environment() -> None:
    assert len(opencv_wheels()) == 1
