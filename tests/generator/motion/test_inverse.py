from __future__ import annotations

import numpy as np
import torch

from famaug.generator.motion.inverse import at_nodes, invert, to_grid


def field_of(fx, fy):
    return torch.from_numpy(np.stack([fx, fy])[None].astype(np.float32))


def residual(field):
    u = invert(field)
    y, x = np.mgrid[: field.shape[2], : field.shape[3]]
    base = torch.from_numpy(np.stack([x, y], -1)[None].astype(np.float32))
    there = at_nodes(field, to_grid(base + u.permute(0, 2, 3, 1), *field.shape[2:]))
    return u, (u + there).abs()


def test_strong_stretch_is_inverted():
    """A stretch to more than three times the height, where fixed-point iteration diverges."""
    y, x = np.mgrid[:60, :60].astype(float)
    fy = 12 / (1 + np.exp(-(y - 25) / 1.3)) * np.exp(-(((x - 30) / 12) ** 2))
    u, left = residual(field_of(np.zeros_like(fy), fy))
    assert np.abs(np.diff(fy[:, 30])).max() > 2
    assert left[:, :, 2:-14].max() < 0.1
    assert u[0, 1].min() < -10


def test_two_way_motion_is_inverted():
    y, x = np.mgrid[:80, :90].astype(float)
    bump = np.exp(-(((x - 45) / 15) ** 2) - ((y - 40) / 15) ** 2)
    _, left = residual(field_of(6 * bump, -4 * bump))
    assert left.max() < 1e-3


def test_no_motion_stays_exactly_none():
    y, x = np.mgrid[:40, :40].astype(float)
    fx = np.where(np.hypot(x - 20, y - 20) < 8, 1.5, 0.0)
    u = invert(field_of(fx, fx))
    assert (u[0, :, :5] == 0).all()
    assert (u[0, :, :, 35:] == 0).all()
