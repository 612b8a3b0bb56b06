"""Onset to apex as a picture of motion: u, v and optical strain, the input of STSTNet and kin.

Stored channel order is u, v, strain. A PNG written in that order and read by OpenCV comes back as
strain, v, u; public weights were trained on such arrays (`channels="bgr"` in `flow_folder`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.flow.tvl1 import tvl1_flows
from famaug.processes import one_cv_thread
from famaug.types import Floats, Picture

FlowMethod = Literal["tvl1", "farneback", "dis"]
METHODS: tuple[FlowMethod, ...] = ("tvl1", "farneback", "dis")
CHANNELS = ("u", "v", "strain")


def optical_flow(onset: Picture, apex: Picture, *, method: FlowMethod = "tvl1") -> Floats:
    """Motion from onset to apex, float32 `2 H W`: u (right) and v (down), in pixels.

    Args:
        onset, apex: uint8 `H W 3` RGB or `H W`, of one size, at least 16 x 16.
        method: "tvl1" (Zach et al. 2007, `famaug.flow.tvl1`), "farneback" (2003) or "dis"
            (Kroeger et al. 2016), both OpenCV. The result does not depend on the number of threads.

    Raises:
        InputError: sizes, types or the method do not fit.
    """
    return optical_flows([(onset, apex)], method=method)[0]


def optical_flows(
    pairs: Sequence[tuple[Picture, Picture]], *, method: FlowMethod = "tvl1", device: str = "cpu"
) -> list[Floats]:
    """The flow of every pair (onset, apex), as `optical_flow` gives it of the pair alone; with
    "tvl1" those of one size are computed together, which is faster than one after another.

    Args:
        pairs: pictures as of `optical_flow`; sizes may differ from pair to pair.
        method: as of `optical_flow`.
        device: where "tvl1" is computed.

    Raises:
        InputError: as `optical_flow`; or a device for a method that OpenCV computes.
    """
    if method not in METHODS:
        raise InputError(f"flow method must be one of {', '.join(METHODS)}; got {method!r}")
    if method != "tvl1" and device != "cpu":
        raise InputError(f"flow method {method!r} runs on the cpu only; got device {device!r}")
    grey = [_grey_pair(*pair) for pair in pairs]
    flows = [np.zeros((2, *first.shape), np.float32) for first, _ in grey]
    # between equal pictures Farneback would report its rounding
    moving = [i for i, pair in enumerate(grey) if not np.array_equal(*pair)]
    if method == "tvl1":
        for shape in {grey[i][0].shape for i in moving}:
            alike = [i for i in moving if grey[i][0].shape == shape]
            first, second = ([grey[i][end] for i in alike] for end in (0, 1))
            for i, flow in zip(alike, tvl1_flows(first, second, device=device), strict=True):
                flows[i] = flow
    else:
        with one_cv_thread():  # DIS gives other flow on other numbers of threads
            for i in moving:
                flow = _opencv_flow(*grey[i], method)
                flows[i] = np.asarray(flow.transpose(2, 0, 1), np.float32, order="C")
    return flows


def _grey_pair(onset: Picture, apex: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    first, second = _grey(onset), _grey(apex)
    if first.shape != second.shape or min(first.shape) < 16:
        raise InputError(
            f"flow needs two pictures of one size, at least 16 x 16; got {first.shape} and "
            f"{second.shape}"
        )
    return first, second


def _opencv_flow(first: NDArray[np.uint8], second: NDArray[np.uint8], method: FlowMethod) -> Any:
    if method == "farneback":
        return cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return dis.calc(first, second, None)


def optical_strain(flow: Floats) -> Floats:
    """Strain of a flow `2 H W`, float32 `H W`: sqrt(ux^2 + vy^2 + (uy + vx)^2 / 4), derivatives as
    central differences (one-sided at the border).

    Raises:
        InputError: not `2 H W`.
    """
    if flow.ndim != 3 or flow.shape[0] != 2:
        raise InputError(f"a flow is 2 x H x W; got {flow.shape}")
    u_y, u_x = np.gradient(flow[0].astype(np.float64))
    v_y, v_x = np.gradient(flow[1].astype(np.float64))
    strain = np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 4)
    return np.asarray(strain, np.float32)


def flow_features(
    onset: Picture, apex: Picture, *, method: FlowMethod = "tvl1", size: int = 28
) -> NDArray[np.uint8]:
    """u, v and strain as uint8 `3 size size`: each channel resized by area, then min-max to 0-255,
    so that every channel spans all of it, as in the published pictures of the composite.

    A channel that does not vary (two equal pictures) is 0 everywhere.

    Raises:
        InputError: as `optical_flow`; size under 4.
    """
    return flow_pictures([(onset, apex)], method=method, size=size)[0]


def flow_pictures(
    pairs: Sequence[tuple[Picture, Picture]], *, method: FlowMethod = "tvl1", size: int = 28
) -> list[NDArray[np.uint8]]:
    """What `flow_features` makes of every pair (onset, apex), by `optical_flows`.

    Raises:
        InputError: as `flow_features`.
    """
    if size < 4:
        raise InputError(f"flow pictures are at least 4 x 4; got size {size}")
    return [picture_of_flow(flow, size) for flow in optical_flows(pairs, method=method)]


def picture_of_flow(flow: Floats, size: int = 28) -> NDArray[np.uint8]:
    """What `flow_features` makes of a flow `2 H W`, uint8 `3 size size`.

    Raises:
        InputError: not `2 H W`.
    """
    channels = (flow[0], flow[1], optical_strain(flow))
    shrunk = [cv2.resize(c, (size, size), interpolation=cv2.INTER_AREA) for c in channels]
    return np.stack([_stretched(c) for c in shrunk]).round().clip(0, 255).astype(np.uint8)


def _stretched(channel: Floats) -> Floats:
    low, high = float(channel.min()), float(channel.max())
    if high - low < 1e-12:
        return np.zeros_like(channel)
    return ((channel - low) * (255 / (high - low))).astype(np.float32)


def _grey(picture: Picture) -> NDArray[np.uint8]:
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or 0 in picture.shape:
        raise InputError(
            f"a picture is uint8 H x W x 3 or H x W; got {picture.dtype} {picture.shape}"
        )
    if picture.ndim == 2:
        return picture
    if picture.shape[2] != 3:
        raise InputError(f"a picture has 3 channels (RGB); got {picture.shape}")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
