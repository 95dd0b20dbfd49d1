"""Every wrong file and option, as a user types it: exit code 2, a message that says what is wrong, and nothing left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finiex_ray.cli import app

WINDOW = {"symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 500}
SCRIPT = {"type": "scripted", "orders": []}
NOBODY = "http://127.0.0.1:9"


def one(data: Any = "synthetic", **values: Any) -> str:
    return json.dumps({"data": data, "scenarios": [{**WINDOW, "logic": SCRIPT, "name": "a", **values}]})


def ticks(*rows: str) -> str:
    return "\n".join(["time,bid,ask", *rows, ""])


AT = "2025-09-25T14:00:01Z"
FILES: dict[str, str | bytes] = {
    "good.json": one(),
    "no_catalog.json": one("nowhere"),
    "odd_uri.json": one("foo://x/y"),
    "torn_catalog.json": one("cat"),
    "evil.json": one(logic={"type": "os:system"}),
    "no_module.json": one(logic={"type": "nowhere_at_all:Mine"}),
    "no_class.json": one(logic={"type": "bad_option_strategies:Nothing"}),
    "no_logic.json": one(logic={"type": "bad_option_strategies:Thing"}),
    "bad_option_strategies.py": "class Thing: pass\n",
    "half_broker.json": one(account={"broker": "my_broker.json"}),
    "my_broker.json": '{"name": "x"}',
    "torn_broker.json": one(account={"broker": "torn.json"}),
    "torn.json": '{"name": ',
    "other_broker.json": one(account={"broker": "mt5_fy"}),
    "outside_broker.json": one(account={"broker": "../../etc/passwd"}),
    "currency.json": one(account={"currency": "XXX"}),
    "symbol.json": one(symbol="EURUSX"),
    "weekend.json": one(start="2025-09-27T02:00:00Z", end="2025-09-27T20:00:00Z"),
    "warm_up.json": one(start="2000-01-03T01:00:00Z", workers={"r": {"type": "rsi", "timeframe": "D1"}}),
    "parameter.json": one(workers={"r": {"type": "rsi", "perod": 3}}),
    "role.json": one(logic={"type": "aggressive_trend"}),
    "action.json": one(logic={**SCRIPT, "orders": [{"tick": 5, "action": "bye"}]}),
    "load.json": one({"catalog": "synthetic", "load": "cloud"}),
    "ticks.csv": ticks(f"{AT},1.10000,1.10010"),
    "back.csv": ticks(f"{AT},1.1,1.2", "2025-09-25T14:00:00Z,1.1,1.2"),
    "crossed.csv": ticks(f"{AT},1.3,1.2"),
    "grid.csv": ticks(f"{AT},1.1000001,1.2"),
    "text.csv": ticks(f"{AT},abc,1.2"),
    "negative.csv": ticks(f"{AT},-1.1,1.2"),
    "nan.csv": ticks(f"{AT},nan,1.2"),
    "naive.csv": ticks("2025-09-25T14:00:01,1.1,1.2"),
    "no_time.csv": ticks("yesterday,1.1,1.2"),
    "empty.csv": "",
    "header.csv": ticks(),
    "columns.csv": f"when,b,a\n{AT},1.1,1.2\n",
    "short.csv": ticks(f"{AT},1.1"),
    "binary.csv": b"time,bid,ask\n\xff\xfe\x00\n",
    "20140501_quote.zip": b"PK\x03\x04nothing",
    "torn.parquet": b"PAR1nothing",
    "collector.json": "{",
    "EURUSD/2025/08/24/10h_ticks.bi5": b"nothing",
    "mt5.txt": "nothing here\n",
    "cat/ticks/EURUSD/2025-09-24.parquet": b"PAR1torn",
    "a_file": "",
    "folder/inside.json": one(),
}
RUN, LOCAL = ["run", "good.json"], ["run", "good.json", "--executor", "local"]
SUBMIT = ["submit", "good.json", "--out", "/r", "--address", NOBODY]


def load(file: str, *more: str, **changed: str | None) -> list[str]:
    """``data import`` of a file that is right but for what is said."""
    options = {"format": "csv", "symbol": "EURUSD", "digits": "5", "catalog": "made", "tz": "UTC", **changed}
    pairs = [text for name, value in options.items() if value is not None for text in (f"--{name}", value)]
    return ["data", "import", file, *pairs, *more]


CASES: list[tuple[list[str], list[str]]] = [
    # sets
    (["run", "no.json"], ["no.json: no such file"]),
    (["run", "cat"], ["cat: the file name must end in .json, .yaml, .yml"]),
    (["run", "ticks.csv"], ["must end in .json, .yaml, .yml (got 'ticks.csv')"]),
    (["run", "torn.json"], ["torn.json: is not valid JSON", "line 1, column 10"]),
    (["run", "no_catalog.json"], ["no tick catalog at", "nowhere", "finiex-ray data import"]),
    (["run", "odd_uri.json"], ["catalog foo://x/y: no file system for it"]),
    (["run", "load.json"], ["load.json: data.load: must be 'driver' or 'cluster' (got \"cloud\")"]),
    (["validate", "torn_catalog.json"], ["a: ", "2025-09-24.parquet: damaged or unreadable", "import the day again"]),
    (["validate", "symbol.json"], ["no symbol 'EURUSX'. Did you mean 'EURUSD'?"]),
    (["validate", "weekend.json"], ["no EURUSD ticks in the window", "in a gap of the data"]),
    (["validate", "warm_up.json"], ["workers.r needs 140 closed D1 bars", "the data has 0"]),
    (["validate", "currency.json"], ["no symbol that converts it", "account.conversion_rates.USD"]),
    (["validate", "parameter.json"], ["unknown parameter 'perod'. Did you mean 'period'?"]),
    (["validate", "role.json"], ["no worker can play the role 'rsi'", "no worker can play the role 'band'"]),
    (["validate", "action.json"], ["'orders.0.action' = 'bye'", "'close_all'"]),
    # brokers
    (["validate", "half_broker.json"], ["my_broker.json: symbols: is missing; add it"]),
    (["validate", "torn_broker.json"], ["torn.json: is not valid JSON"]),
    (["validate", "other_broker.json"], ["there is no broker 'mt5_fy'", "Did you mean 'mt5_fx'?"]),
    (["validate", "outside_broker.json"], ["there is no broker '../../etc/passwd'", "Known: crypto_spot"]),
    # strategies
    (["validate", "evil.json"], ["'os:system' would import and run 'os'", "add --allow-import os"]),
    (["validate", "evil.json", "--allow-import", "mine"], ["does not allow; allowed are mine"]),
    (["validate", "evil.json", "--allow-import", "os"], ["'os:system' is no decision logic"]),
    (["validate", "no_module.json", "--allow-import", "nowhere_at_all"], ["no module named 'nowhere_at_all'"]),
    (["validate", "no_class.json", "--allow-import", "."], ["has no 'Nothing'", "Thing"]),
    (["validate", "no_logic.json", "--allow-import", "."], ["make it a subclass of DecisionLogic or TickLogic"]),
    ([*RUN, "--allow-import", "../mine"], ["--allow-import: '../mine' is no module"]),
    ([*RUN, "--allow-import", "mine:Thing"], ["--allow-import: 'mine:Thing' is no module"]),
    # options of run
    ([*RUN, "--executor", "cloud"], ["'cloud' is not one of 'auto', 'local', 'ray'"]),
    ([*RUN, "--jobs", "0"], ["'--jobs': Input should be greater than or equal to 1"]),
    ([*RUN, "--jobs", "many"], ["'--jobs': Input should be a valid integer"]),
    ([*RUN, "--fast"], ["No such option: --fast"]),
    ([*RUN, "--only", "b"], ["no scenario is named 'b' (asked for with --only). Known: a."]),
    ([*RUN, "--set", "seed"], ["--set seed: must be path=value"]),
    ([*RUN, "--set", "sed=1"], ["sed: unknown path. Did you mean 'seed'?"]),
    ([*RUN, "--set", "seed=x"], ['seed: must be an integer (got "x")']),
    ([*RUN, "--set", "workers.q.period=3"], ["no scenario has a worker 'q'"]),
    ([*RUN, "--set", "data.load=cloud"], ["data.load: must be 'driver' or 'cluster'"]),
    ([*LOCAL, "--out", "a_file"], ["a_file: no run folder can be made here", "--out"]),
    ([*LOCAL, "--out", "a_file/x"], ["a_file/x: no run folder can be made here", "--out"]),
    # plan, check, list
    (["plan", "good.json", "--jobs", "0"], ["'--jobs': Input should be greater than or equal to 1"]),
    (["plan", "symbol.json"], ["a: ", "no symbol 'EURUSX'"]),
    (["check", "lookahead", "good.json", "--probes", "0"], ["'--probes': Input should be greater than or equal to 1"]),
    (["check", "lookahead", "good.json", "--seed", "-1"], ["'--seed': Input should be greater than or equal to 0"]),
    (["check", "determinism", "symbol.json"], ["no symbol 'EURUSX'"]),
    (["check", "magic", "good.json"], ["No such command 'magic'"]),
    (["list", "things"], ["'things' is not one of 'workers', 'logics'"]),
    # files of ticks
    (load("no.csv"), ["no.csv: no such file or folder"]),
    (load("back.csv"), ["back.csv: row 3: the time goes back", "--sort"]),
    (load("crossed.csv"), ["crossed.csv: row 2", "ask below bid", "--crossed"]),
    (load("grid.csv"), ["row 2: bid 1.1000001 is off the grid of 5 digits", "--snap"]),
    (load("text.csv"), ["row 2: bid 'abc' is no number"]),
    (load("negative.csv"), ["row 2: bid -1.1 is no price"]),
    (load("nan.csv"), ["row 2: bid 'nan' is no number"]),
    (load("naive.csv", tz=None), ["naive.csv: its times carry no zone", "--tz UTC"]),
    (load("no_time.csv"), ["row 2: 'yesterday' is no time"]),
    (load("empty.csv"), ["empty.csv: is empty"]),
    (load("header.csv"), ["header.csv: holds no ticks"]),
    (load("columns.csv"), ["no column for time among when, b, a", "--column time=NAME"]),
    (load("short.csv"), ["row 2: Expected 3 columns, got 2"]),
    (load("binary.csv"), ["binary.csv: row 2: Expected 3 columns, got 1"]),
    (load("20140501_quote.zip", format="lean"), ["damaged zip"]),
    (load("torn.parquet", format="parquet"), ["torn.parquet: damaged Parquet"]),
    (load("collector.json", format="collector"), ["collector.json: row 1: no JSON"]),
    (load("EURUSD", format="dukascopy", tz=None), ["10h_ticks.bi5: damaged bi5"]),
    (load("mt5.txt", format="mt5"), ["an MT5 export starts with <DATE>"]),
    # options of data
    (load("ticks.csv", tz="Mars"), ["--tz: unknown time zone 'Mars'"]),
    (load("ticks.csv", symbol="../EURUSD"), ["'../EURUSD' is no symbol name"]),
    (load("ticks.csv", digits="99"), ["'--digits': Input should be less than or equal to 12"]),
    (load("ticks.csv", format="xls"), ["'xls' is not one of"]),
    (load("ticks.csv", crossed="maybe"), ["'maybe' is not one of 'refuse', 'keep', 'drop'"]),
    (load("ticks.csv", "--on-conflict", "merge"), ["'merge' is not one of 'refuse', 'replace'"]),
    (load("ticks.csv", delimiter=";;"), ["--delimiter: ';;' must be one character"]),
    (load("ticks.csv", "--time-format", "%Q"), ["--time-format: pattern '%Q' cannot be used"]),
    (load("ticks.csv", "--column", "bid"), ["--column: 'bid' is no mapping"]),
    (load("ticks.csv", "--column", "bid=bid", "--column", "bid=ask"), ["--column: 'bid' is given twice"]),
    (load("ticks.csv", "--column", "price=bid"), ["--column: unknown column 'price'"]),
    (["data", "list", "--catalog", "nowhere"], ["no tick catalog at nowhere"]),
    (["data", "check", "--catalog", "nowhere"], ["no tick catalog at nowhere"]),
    (["data", "check", "--catalog", "cat"], ["2025-09-24.parquet: damaged or unreadable"]),
    (["data", "check", "--catalog", "cat", "--symbol", "GBPUSD"], ["no symbol 'GBPUSD'. Known: EURUSD."]),
    # clusters
    ([*RUN, "--address", "ray://h:1"], ["Ray Client, which cannot stream results", "finiex-ray submit"]),
    (["submit", "good.json"], ["Missing option '--out'"]),
    ([*SUBMIT, "--out", "runs"], ["--out: 'runs' must be an absolute folder"]),
    ([*SUBMIT, "--out", "s3://b/runs"], ["--out: 's3://b/runs' must be an absolute folder"]),
    ([*SUBMIT, "--working-dir", "folder"], ["good.json: lies outside of --working-dir"]),
    ([*SUBMIT, "--working-dir", "nowhere"], ["--working-dir nowhere: is no folder"]),
    ([*SUBMIT, "--address", "head:6379"], ["'head:6379' is no address of a job server", "http://host:8265"]),
    (SUBMIT, [f"nobody answers at {NOBODY} (ConnectionError)"]),
    (["submit", "symbol.json", *SUBMIT[2:]], ["a: ", "no symbol 'EURUSX'"]),
    (["status", "--address", "ray://x"], ["'ray://x' is no address of a job server"]),
    (["logs", "job", "--address", NOBODY], ["nobody answers at"]),
    (["stop"], ["Missing argument 'JOB'"]),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "FINIEX_RAY_ALLOW_IMPORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60
    used = {word for arguments, _ in CASES for word in arguments}
    inside = {"bad_option_strategies.py", "my_broker.json", "EURUSD/2025/08/24/10h_ticks.bi5"}
    inside |= {"cat/ticks/EURUSD/2025-09-24.parquet", "folder/inside.json", "a_file"}
    assert set(FILES) - used <= inside


@pytest.mark.parametrize(("arguments", "parts"), CASES, ids=[" ".join(arguments)[:80] for arguments, _ in CASES])
def test_refused_with_a_message(arguments: list[str], parts: list[str], folder: Path) -> None:
    before = {path.relative_to(folder) for path in folder.rglob("*")}
    width = {"COLUMNS": "400", "TERM": "dumb", "NO_COLOR": "1"}  # usage errors are framed, and broken at the width
    result = CliRunner().invoke(app, arguments, env={**os.environ, **width})
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    for part in parts:
        assert part in result.stderr
    assert "Traceback" not in result.stderr
    left = {path.relative_to(folder) for path in folder.rglob("*")} - before
    assert not {path for path in left if "__pycache__" not in path.parts and path.parts[0] != "runs"}
