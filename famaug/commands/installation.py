"""What this installation of famaug is made of, and what is wrong with it: `famaug doctor`."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from famaug import __version__
from famaug.commands.opencv_wheels import opencv_problems, opencv_wheels
from famaug.errors import MissingPackageError, WeightsError
from famaug.packages import CORE, PARTS, hint, installed, need
from famaug.weights.fetch import find_stored, home
from famaug.weights.registry import ENTRIES
from famaug.weights.shipped import SHIPPED, shipped_path

LITTLE = 256 * 2**20
"""Bytes free below which a folder is named."""
HEADLESS = "opencv-python-headless"


@dataclass
class Installation:
    """All that was looked at.

    Attributes:
        packages, optional: version by package, None where it is not installed.
        opencv: the wheels that bring cv2, "name version".
        weights: whether each shipped file is intact.
        devices: "cpu", and each accelerator by name. cuda: what torch was built for, or None.
        space: free bytes by what is kept there, with the folder.
        fetched: names of the fetched files.
        problems: what must be put right, and how. notes: what to know.
    """

    famaug: str = __version__
    python: str = field(default_factory=platform.python_version)
    system: str = field(default_factory=platform.platform)
    packages: dict[str, str | None] = field(default_factory=dict)
    optional: dict[str, str | None] = field(default_factory=dict)
    opencv: list[str] = field(default_factory=list)
    weights: dict[str, bool] = field(default_factory=dict)
    devices: list[str] = field(default_factory=list)
    cuda: str | None = None
    space: dict[str, tuple[str, int]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """Plain values; `install` says what to type for each absent optional package."""
        absent = [p for p in PARTS if p.package in self.optional and not self.optional[p.package]]
        return {**asdict(self), "install": {p.package: hint(p) for p in absent}}

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield f"famaug {self.famaug}, Python {self.python}, {self.system}"
        yield "packages"
        for package, found in self.packages.items():
            yield f"  {package:24s} {found or 'absent'}"
        yield "optional"
        for part in PARTS:
            if part.extra:
                found = self.optional[part.package] or f"absent: {hint(part)}"
                yield f"  {part.package:24s} {found:42s} {part.what}".rstrip()
        intact = sum(self.weights.values())
        yield "machine"
        yield f"  {'OpenCV':24s} {', '.join(self.opencv) or 'absent'}"
        yield f"  {'weights':24s} {intact} of {len(self.weights)} files intact"
        yield f"  {'devices':24s} {', '.join(self.devices)}"
        for what, (folder, free) in self.space.items():
            yield f"  {'free, ' + what:24s} {free / 2**30:.1f} GiB ({folder})"
        yield f"  {'fetched':24s} {', '.join(self.fetched) or 'nothing yet'}"


def look_at_installation() -> Installation:
    """Imports what breaks most (torch, torchvision, cv2); writes nothing, asks no network."""
    found = Installation()
    found.packages = {package: installed(package) for package in CORE}
    found.optional = {part.package: installed(part.package) for part in PARTS if part.extra}
    found.fetched = [e.name for e in ENTRIES if find_stored(e.name)]
    wheels = opencv_wheels()
    found.opencv = [f"{wheel.name} {wheel.version}" for wheel in wheels]
    if wheels:  # another wheel of OpenCV does what the headless one does
        found.packages.pop(HEADLESS)
    found.problems += [
        f"{package} is not installed: pip install famaug"
        for package, version in found.packages.items()
        if version is None
    ]
    found.problems += opencv_problems(wheels)
    _weights(found)
    _devices(found)
    _space(found)
    return found


def _weights(found: Installation) -> None:
    for name in SHIPPED:
        found.weights[name] = True
        try:
            shipped_path(name)
        except WeightsError as error:
            found.weights[name] = False
            found.problems.append(str(error))


def _devices(found: Installation) -> None:
    found.devices = ["cpu"]
    for module in ("cv2", "torch", "torchvision"):
        try:
            need(module, "famaug")
        except MissingPackageError as error:
            found.problems.append(str(error))
            if module == "torch":
                return
    import torch

    found.cuda = torch.version.cuda
    found.devices += [
        f"{torch.cuda.get_device_name(i)} "
        f"({torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB)"
        for i in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        found.devices.append("mps")
    if found.cuda and len(found.devices) == 1:
        found.notes.append(f"torch is built for CUDA {found.cuda}, and no GPU answers")


def _space(found: Installation) -> None:
    folders = {"here": Path.cwd(), "fetched": home(), "temporary": Path(tempfile.gettempdir())}
    folders["shared memory"] = Path("/dev/shm")
    for what, folder in folders.items():
        there = next((f for f in (folder, *folder.parents) if f.is_dir()), None)
        if there is None or (what == "shared memory" and there != folder):
            continue
        free = shutil.disk_usage(there).free
        found.space[what] = (str(folder), free)
        if free < LITTLE and what == "shared memory":
            found.notes.append(
                f"{folder} has {free >> 20} MiB free, through which a DataLoader's workers hand "
                "over their batches (docker run --shm-size=2g; or num_workers=0)"
            )
        elif free < LITTLE:
            found.problems.append(f"{folder}: only {free >> 20} MiB are free there")
