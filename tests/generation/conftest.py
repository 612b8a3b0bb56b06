"""Tests here import `generation_builders`; so do the workers they spawn."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
