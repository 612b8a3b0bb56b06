"""Train the compact generator with the warp renderer as its teacher.

    famaug train compact CONFIG.yaml                 (the same, as a command)
    python recipes/train_compact_generator.py compact
    FACES=my/faces python recipes/train_compact_generator.py compact

Any folder of faces with neutral expressions will do: what AUs they shall show is drawn, and the
teacher shows it. The same command goes on where it was stopped. Several processes:
`accelerate launch recipes/train_compact_generator.py ...`.
"""

from __future__ import annotations

from famaug.commands.train import main

if __name__ == "__main__":
    main("compact", __doc__)
