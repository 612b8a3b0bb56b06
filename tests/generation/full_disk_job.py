"""`python full_disk_job.py FOLDER`: a generation whose workers may write small files only."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from famaug.errors import FamaugError
from famaug.generation import generate
from tests.generation.generation_builders import QuickSynthesizer, quick

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    slow = QuickSynthesizer(pause_s=0.004)
    try:
        generate(quick(Path(sys.argv[1]), per_rule=60, synthesizer=slow))
    except FamaugError as error:
        print(type(error).__name__, error)
