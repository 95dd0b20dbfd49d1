"""Every file of cluster/ is checked offline: by Ray's own validator, by the fields of KubeRay, by what it must promise."""

from __future__ import annotations

import copy
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from heads import ROOT
from kuberay_schema import SCHEMAS
from typer.testing import CliRunner

from finiex_ray import __version__
from finiex_ray.cli import app

FILES = ROOT / "cluster"
LAUNCHER = ("aws.yaml", "gcp.yaml")
KUBERAY = ("raycluster.yaml", "rayjob.yaml")
IMAGE = f"REGISTRY/finiex-ray:{__version__}"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FILES / name).read_text(encoding="utf-8"))
    return found


def pinned(package: str) -> str:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    (found,) = (line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))
    return found


def test_every_file_has_a_test() -> None:
    found = {str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file()}
    kuberay = {f"kuberay/{name}" for name in (*KUBERAY, "networkpolicy.yaml")}
    assert found == {*LAUNCHER, *kuberay, "Dockerfile", "job.sh"}


@pytest.mark.parametrize("name", LAUNCHER)
class TestLauncher:
    def test_ray_accepts_it(self, name: str) -> None:
        from ray.autoscaler._private.util import prepare_config, validate_config

        validate_config(prepare_config(load(name)))

    def test_ray_would_have_refused_a_mistake(self, name: str) -> None:
        from ray.autoscaler._private.util import prepare_config, validate_config

        for wrong in ({"max_worker": 3}, {"head_node_type": "nowhere"}, {"max_workers": 0}):
            with pytest.raises((jsonschema.ValidationError, ValueError)):
                validate_config(prepare_config({**load(name), **wrong}))

    def test_the_head_runs_no_scenario_and_spot_nodes_come_and_go(self, name: str) -> None:
        config = load(name)
        types = config["available_node_types"]
        assert types["head"]["resources"]["CPU"] == 0
        assert (types["on_demand"]["min_workers"], types["spot"]["min_workers"]) == (1, 0)
        assert sum(each["max_workers"] for each in types.values()) <= config["max_workers"]
        text = str(types["spot"]["node_config"]).lower()
        assert "spot" in text
        assert "spot" not in str(types["on_demand"]["node_config"]).lower()
        assert types["on_demand"]["resources"] == types["spot"]["resources"]

    def test_nobody_gets_in_without_the_token(self, name: str) -> None:
        config = load(name)
        assert config["file_mounts"] == {"/home/ray/.ray/auth_token": "~/.ray/auth_token"}
        for side in ("head", "worker"):
            commands = config[f"{side}_start_ray_commands"]
            assert "chmod 600 ~/.ray/auth_token" in commands
            (start,) = (command for command in commands if "ray start" in command)
            assert "RAY_AUTH_MODE=token ray start" in start
        assert "--dashboard-host=127.0.0.1" in str(config["head_start_ray_commands"])
        assert config["docker"]["image"] == IMAGE


@pytest.mark.parametrize("name", KUBERAY)
class TestKubeRay:
    def test_every_field_is_one_of_kuberay(self, name: str) -> None:
        manifest = load(f"kuberay/{name}")
        jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])

    def test_the_schema_would_have_refused_a_mistake(self, name: str) -> None:
        manifest = load(f"kuberay/{name}")
        schema, cluster = SCHEMAS[manifest["kind"]], "rayClusterSpec" if manifest["kind"] == "RayJob" else None
        mistakes: list[tuple[tuple[str | int, ...], Any]] = [
            (("headGroupSpec", "rayStartParams", "num-cpus"), 0),  # must be text
            (("headGroupSpec", "rayStartParam"), {}),
            (("workerGroupSpecs", 0, "maxReplicas"), "4"),
            (("workerGroupSpecs", 0, "template", "spec", "volumes", 1, "emptyDir", "sizeLimit"), 10),
            (("authOptions", "mode"), "tokens"),
        ]
        for path, value in mistakes:
            wrong = copy.deepcopy(manifest)
            place: Any = wrong["spec"][cluster] if cluster else wrong["spec"]
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**manifest, "apiVersion": "ray.io/v1alpha1"}, schema)

    def test_what_it_promises(self, name: str) -> None:
        spec = load(f"kuberay/{name}")["spec"]
        cluster = spec.get("rayClusterSpec", spec)
        assert cluster["rayVersion"] == pinned("ray")
        assert cluster["authOptions"] == {"mode": "token"}
        assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
        groups = {group["groupName"]: group for group in cluster["workerGroupSpecs"]}
        assert set(groups) == {"on-demand", "spot"}
        assert all(group["replicas"] == group["minReplicas"] for group in groups.values())
        assert "spot" in str(groups["spot"]["template"]["spec"]["nodeSelector"])
        for group in (cluster["headGroupSpec"], *groups.values()):
            pod = group["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"]
            (container,) = pod["containers"]
            assert container["image"] == IMAGE
            assert container["resources"]["requests"] == container["resources"]["limits"]
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert {mount["name"] for mount in container["volumeMounts"]} == {
                volume["name"] for volume in pod["volumes"]
            }


def test_the_network_policy_fits_the_cluster() -> None:
    policy, cluster = load("kuberay/networkpolicy.yaml"), load("kuberay/raycluster.yaml")
    own = {"ray.io/cluster": cluster["metadata"]["name"]}
    assert policy["spec"]["podSelector"]["matchLabels"] == own
    inside, submitters = policy["spec"]["ingress"]
    assert inside["from"][0]["podSelector"]["matchLabels"] == own
    assert [port["port"] for port in submitters["ports"]] == [8265]


def arguments_of(command: str) -> list[str]:
    """What follows ``python -m finiex_ray`` in a command."""
    words = shlex.split(command)
    if words[:2] == ["bash", "-c"]:
        words = shlex.split(words[2])
    return words[words.index("finiex_ray") + 1 :]


def test_the_commands_are_ours() -> None:
    """Unknown options would be exit code 2 with a usage text; a set that is missing is another message."""
    commands = [load("kuberay/rayjob.yaml")["spec"]["entrypoint"]]
    script = (FILES / "job.sh").read_text(encoding="utf-8")
    (line,) = (line for line in script.splitlines() if line.startswith("exec "))
    commands.append(line.replace("$set_file", "set.json").replace("$out", "/data/runs").replace('"$@"', ""))
    for command in commands:
        result = CliRunner().invoke(app, arguments_of(command))
        assert result.exit_code == 2
        assert "set.json: no such file" in result.stderr, result.stderr


def test_the_job_script_says_what_it_needs(tmp_path: Path) -> None:
    script = FILES / "job.sh"
    assert script.stat().st_mode & 0o100
    subprocess.run(["bash", "-n", str(script)], check=True)
    done = subprocess.run([str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "name a scenario set" in done.stderr


def test_the_image_pins_what_was_tested() -> None:
    text = (FILES / "Dockerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"^FROM python:(\d+\.\d+\.\d+)-slim-\w+$", text, re.MULTILINE)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"Python :: {base.rpartition('.')[0]}" in project
    assert "--constraint /src/constraints.txt '/src[cluster]'" in text
    assert re.search(r"^cluster = \[\n +\"ray\[default\]", project, re.MULTILINE)
    for source in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert (ROOT / name).exists(), name
    assert "USER ray" in text
    assert "RAY_AUTH_MODE=token" in text
    assert f"finiex-ray:{__version__} " in text
    assert pinned("aiohttp")
    for line in text.splitlines():
        assert not re.search(r"(TOKEN|PASSWORD|SECRET)=", line), line
