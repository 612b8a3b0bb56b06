"""Train GANimation's generator, as published or with left and right, motion and clips.

    famaug train generator CONFIG.yaml                 (the same, as a command)
    python recipes/train_generator.py ganimation-paper
    python recipes/train_generator.py CONFIG.yaml faces.root=my/faces faces.table=aus.csv
    accelerate launch --multi_gpu recipes/train_generator.py CONFIG.yaml      (several GPUs)
    torchrun --nproc-per-node 2 recipes/train_generator.py CONFIG.yaml        (several on CPUs)

The same command goes on where it was stopped. The folder `out` holds config.yaml, log.jsonl,
tensorboard/, samples/, checkpoint.safetensors and generator.safetensors (the averaged weights).
Warnings say what to turn where the generator collapses.
"""

from __future__ import annotations

from famaug.commands.train import main

if __name__ == "__main__":
    main("generator", __doc__)
