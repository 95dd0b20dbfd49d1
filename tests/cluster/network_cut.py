"""A head and two nodes in network namespaces of their own; the cable of one node is cut in the middle of a run.

    python tests/cluster/network_cut.py [--scenarios 40] [--ticks 20000]      (as root)

Prints one JSON line. A cut is not a kill: no connection is reset, everyone just hears nothing any more.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cluster_work import ROOT, Watch, run, scenario_set

HEAD, NODES = "10.203.57.1", ("10.203.57.2", "10.203.57.3")
PORT = 6379  # its own network: nobody else is there
READY_S = 200


def ip(*words: str) -> None:
    """Runs the ip command."""
    subprocess.run(["ip", *words], check=True)


def namespaces(stack: ExitStack) -> list[str]:
    """Namespaces of the head and the nodes, joined by a bridge on the head's side; they go when the stack closes."""
    names = [f"finiex-{place}-{os.getpid()}" for place in range(len(NODES) + 1)]
    for name in names:
        ip("netns", "add", name)
        stack.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")
    head = names[0]
    ip("-n", head, "link", "add", "bridge", "type", "bridge")
    ip("-n", head, "addr", "add", f"{HEAD}/24", "dev", "bridge")
    ip("-n", head, "link", "set", "bridge", "up")
    for place, (name, address) in enumerate(zip(names[1:], NODES, strict=True)):
        ip("link", "add", f"cable{place}", "netns", head, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("-n", head, "link", "set", f"cable{place}", "master", "bridge", "up")
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
    return names


def start(stack: ExitStack, namespace: str, scratch: Path, *arguments: str) -> None:
    """Starts Ray in a namespace, as a process group that ends with the stack; returns when it is up."""
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats"]
    told = scratch / f"{namespace}.log"
    with told.open("wb") as log:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *command, *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def end() -> None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    stack.callback(end)
    # One after the other: two at once on one machine may choose the same socket.
    wait_until(lambda: "Ray runtime started" in told.read_text(errors="replace"))


def wait_until(ready: Callable[[], bool]) -> None:
    """Waits for something, not for ever."""
    end_s = time.monotonic() + READY_S
    while not ready():
        if time.monotonic() > end_s:
            raise TimeoutError(f"not ready after {READY_S} s")
        time.sleep(0.2)


def outer(options: argparse.Namespace) -> int:
    """Builds the network and the nodes, and runs `inner` on the head's side."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fnx-", ignore_cleanup_errors=True)))
        (scratch / "token").touch(0o600)
        os.environ |= {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(scratch / "token"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            # Without these a cut network keeps tasks waiting for minutes (on every side).
            "RAY_grpc_client_keepalive_time_ms": "10000",
            "RAY_grpc_client_keepalive_timeout_ms": "5000",
        }
        from finiex_ray.execution.ray_auth import ensure_token

        ensure_token()
        head, *nodes = namespaces(stack)
        memory = f"--object-store-memory={150 * 2**20}"
        start(
            stack, head, scratch, "--head", f"--port={PORT}", f"--node-ip-address={HEAD}", memory, "--num-cpus=0",
            f"--temp-dir={scratch / 'ray'}", "--include-dashboard=false",
        )  # fmt: skip
        for node, address in zip(nodes, NODES, strict=True):
            start(
                stack, node, scratch, f"--address={HEAD}:{PORT}", f"--node-ip-address={address}", memory, "--num-cpus=1"
            )
        arguments = ["--inner", f"--scenarios={options.scenarios}", f"--ticks={options.ticks}"]
        done = subprocess.run(
            ["ip", "netns", "exec", head, sys.executable, __file__, *arguments], timeout=800, check=False
        )
        if done.returncode:
            for log in scratch.glob("*.log"):
                sys.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-3_000:]}\n")
        return done.returncode


def inner(options: argparse.Namespace) -> int:
    """The driver, beside the head."""
    from finiex_ray.execution.ray_session import connect, import_ray

    chosen = scenario_set(options.scenarios, ticks=options.ticks, load="cluster")
    expected = run("local", chosen, Watch({}))
    connect(f"{HEAD}:{PORT}")
    ray = import_ray()
    wait_until(lambda: ray.cluster_resources().get("CPU", 0) >= len(NODES))
    watch = Watch({options.scenarios // 2: lambda: ip("link", "set", "cable1", "down")})
    summary = run("ray", chosen, watch)
    outcome = {
        "scenarios": len(chosen.scenarios),
        "results": len(watch.names),
        "different": len(set(watch.names)),
        "failed": summary.failed,
        "same_hash": summary.set_hash == expected.set_hash,
        "cuts": len(watch.gaps_s),
        "longest_wait_after_cut_s": [round(gap, 2) for gap in watch.gaps_s],
        "nodes_left": sum(node["Alive"] for node in ray.nodes()),
        "ray_s": round(summary.wall_s, 2),
    }
    print(json.dumps(outcome), flush=True)
    ray.shutdown()
    whole = outcome["results"] == outcome["different"] == outcome["scenarios"] and not outcome["failed"]
    return 0 if whole and outcome["same_hash"] and outcome["cuts"] and outcome["nodes_left"] == len(NODES) else 1


def main() -> int:
    """Exit code 0: every scenario has one result, and the hash is that of a run in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=40)
    parser.add_argument("--ticks", type=int, default=20_000)
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    return inner(options) if options.inner else outer(options)


if __name__ == "__main__":
    raise SystemExit(main())
