"""A head and two nodes on this machine; each node is killed in the middle of a run. Prints one JSON line.

python tests/cluster/node_faults.py [--scenarios 60] [--ticks 20000]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from cluster_work import ROOT, Watch, run, scenario_set


def main() -> int:
    """Exit code 0: every scenario has one result, and the hash is that of a run in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=60)
    parser.add_argument("--ticks", type=int, default=20_000)
    options = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_TOKEN_PATH", str(Path(tempfile.mkdtemp(prefix="finiex-ray-faults-")) / "token"))
    # Task processes find the strategies of the tests.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])

    from finiex_ray.execution.ray_auth import ensure_token
    from finiex_ray.execution.ray_session import import_ray

    ray = import_ray()
    ensure_token()
    from ray.cluster_utils import Cluster

    chosen = scenario_set(options.scenarios, ticks=options.ticks, load="cluster")
    expected = run("local", chosen, Watch({}))
    memory = 150 * 2**20
    cluster = Cluster(
        initialize_head=True,
        connect=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": memory},
    )
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=memory) for _ in range(2)]
    cluster.wait_for_nodes()
    kills = {
        options.scenarios // 4: lambda: cluster.remove_node(nodes[0], allow_graceful=False),
        options.scenarios // 2: lambda: cluster.remove_node(nodes[1], allow_graceful=False),
    }
    watch = Watch(kills)
    try:
        summary = run("ray", chosen, watch)
    finally:
        ray.shutdown()
        cluster.shutdown()
    outcome = {
        "scenarios": len(chosen.scenarios),
        "results": len(watch.names),
        "different": len(set(watch.names)),
        "failed": summary.failed,
        "same_hash": summary.set_hash == expected.set_hash,
        "nodes_killed": len(watch.gaps_s),
        "longest_wait_after_kill_s": [round(gap, 2) for gap in watch.gaps_s],
        "local_s": round(expected.wall_s, 2),
        "ray_s": round(summary.wall_s, 2),
    }
    print(json.dumps(outcome))
    whole = outcome["results"] == outcome["different"] == outcome["scenarios"] and not outcome["failed"]
    return 0 if whole and outcome["same_hash"] and outcome["nodes_killed"] == len(kills) else 1


if __name__ == "__main__":
    raise SystemExit(main())
