"""`python ray_cluster_job.py FOLDER`: a generation on a Ray cluster of two nodes on this machine,
one of which is killed half-way. A process of its own, so that Ray leaves nothing behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from famaug.generation import generate
from famaug.generation.resources import Resources
from tests.generation.generation_builders import QuickSynthesizer, content, quick

CLIPS = 120


def main(folder: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    settings = [
        quick(folder, name, per_rule=CLIPS // 2, synthesizer=QuickSynthesizer(pause_s=0.02))
        for name in ("local", "ray")
    ]
    generate(settings[0], Resources(workers=2))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    other = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    nodes: set[int] = set()
    killed_at: list[int] = []

    def kill_half_way(stage: str, done: int, total: int) -> None:
        if stage == "rendering" and done >= total // 2 and not killed_at:
            nodes.add(sum(n["Alive"] for n in ray.nodes()))
            cluster.remove_node(other, allow_graceful=False)
            killed_at.append(done)

    report = generate(settings[1], Resources(engine="ray", workers=2), progress=kill_half_way)
    print(
        json.dumps(
            {
                **report.to_json(),
                "nodes": nodes.pop(),
                "killed_at": killed_at[0],
                "same": content(settings[0].out) == content(settings[1].out),
                "shards": len(list((settings[1].out / "shards").glob("*.lmdb"))),
            }
        )
    )
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
