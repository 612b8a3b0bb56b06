"""Packages that famaug can do without, and the one way to ask for one of them.

`need("ray", "the engine ray")` gives the module, or an error that says what to install. Which
extra brings which package is written here once; a test holds it to pyproject.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from famaug.errors import MissingPackageError

CORE = (
    "torch", "torchvision", "numpy", "scipy", "pandas", "opencv-python-headless", "scikit-image",
    "pillow", "av", "albumentations", "timm", "lmdb", "lz4", "zstandard", "xxhash", "safetensors",
    "omegaconf", "pydantic", "typer", "rich", "jinja2", "matplotlib", "openpyxl",
)  # fmt: skip
"""What famaug itself is made of, by their names for pip."""


@dataclass(frozen=True)
class Part:
    """A package that only some jobs need.

    Attributes:
        package: its name for pip; `module`: what is imported.
        extra: the extra of famaug that brings it; "" is famaug itself.
        what: what it is for, a few words.
    """

    package: str
    module: str
    extra: str
    what: str


PARTS = (
    Part("torch", "torch", "", "everything but tables"),
    Part("opencv-python-headless", "cv2", "", "pictures"),
    Part("torchvision", "torchvision", "", "SynthTransform, video networks, the feature trunk"),
    Part("albumentations", "albumentations", "", "SynthClip"),
    Part("timm", "timm", "", "backbones of the two-branch network"),
    Part("openpyxl", "openpyxl", "", "label tables in .xlsx"),
    Part("scikit-image", "skimage", "", "scores, portraits, what the bench of flow compares with"),
    Part("ray", "ray", "ray", "famaug pregenerate over a cluster"),
    Part("accelerate", "accelerate", "train", "famaug train, training in several processes"),
    Part("tensorboard", "tensorboard", "train", "curves of a training"),
    Part("nicegui", "nicegui", "studio", "famaug studio"),
    Part("nltk", "nltk", "studio", "agreement of raters in famaug studio"),
    Part("webdataset", "webdataset", "webdataset", "famaug cache export to .tar"),
    Part("onnx", "onnx", "perception", "identity scores (SFace)"),
    Part("tflite", "tflite", "convert", "famaug weights import of a .task file"),
    Part("openvino", "openvino", "fast", "sharpening on a CPU, faster"),
    Part("spandrel", "spandrel", "superres", "other people's upscaling networks"),
    Part("py-feat", "feat", "estimators", "AUs as py-feat measures them"),
    Part("pyfaceau", "pyfaceau", "pyfaceau", "AUs as pyfaceau measures them"),
    Part("ai-edge-litert", "ai_edge_litert", "bench", "what bench faces compares with"),
    Part("ncnn", "ncnn", "bench", "what bench superres compares with"),
)
"""Packages whose absence is told when they are asked for."""


def need(module: str, what: str) -> Any:
    """A module of an optional package.

    Args:
        module: its dotted name; the first word is in `PARTS`.
        what: who asks, as the message begins: "the engine ray".

    Raises:
        MissingPackageError: it is not installed, or cannot be imported; says what to install.
    """
    part = _part(module)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == part.module:
            raise _missing(part, what, "is not installed", hint(part)) from error
        raise _missing(part, what, f"lacks {error.name}", _again(part)) from error
    except Exception as error:  # a torchvision of another torch raises RuntimeError, for one
        reason = " ".join(str(error).split()) or type(error).__name__
        raise _missing(part, what, f"cannot be imported ({reason})", _again(part)) from error


def hint(part: Part) -> str:
    """What to type to have it."""
    return f'pip install "famaug[{part.extra}]"' if part.extra else "pip install famaug"


def installed(package: str) -> str | None:
    """The version of a package, by its name for pip; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def stand_in(name: str, error: MissingPackageError) -> type[Any]:
    """A class to stand where one of that name cannot be defined; making one raises the error.

    So that names can be looked at, listed and imported without the package that they need.
    """

    def absent(self: Any, *args: Any, **options: Any) -> None:
        raise MissingPackageError(*error.args, name=error.name) from error

    return type(name, (), {"__init__": absent, "__doc__": f"Not usable here: {error}."})


def _part(module: str) -> Part:
    root = module.partition(".")[0]
    return next(part for part in PARTS if part.module == root)


def _again(part: Part) -> str:
    return f"pip install --force-reinstall {part.package}"


def _missing(part: Part, what: str, seen: str, cure: str) -> MissingPackageError:
    return MissingPackageError(
        f"{what} needs {part.package}, which {seen}: {cure}", name=part.module
    )
