"""Fine-tune a sharpener on a folder of faces, RealSR's way.

    famaug train superres CONFIG.yaml                 (the same, as a command)
    python recipes/train_superres.py faces
    python recipes/train_superres.py faces training.seconds=2700

Blur kernels and noise are learnt from the target pictures, sharp pictures are degraded with them,
and the network learns the way back. Held-out faces are measured before and after. The same command
goes on where it was stopped. Several processes: `torchrun --nproc-per-node 2` before the file.
"""

from __future__ import annotations

from famaug.commands.train import main

if __name__ == "__main__":
    main("superres", __doc__)
