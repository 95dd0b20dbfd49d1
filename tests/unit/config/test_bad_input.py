"""Every wrong input is refused with the file, the path, the value and the mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.models import InvalidScenario
from finiex_ray.core.errors import ConfigError

SCENARIO = {"name": "a", "symbol": "EURUSD", "start": "2025-09-25T14:00:00Z", "max_ticks": 100}
GLOBAL = {
    "workers": {"rsi_fast": {"type": "rsi", "period": 14}},
    "logic": {"type": "aggressive_trend", "lots": 0.1},
    "account": {"balance": 10000},
}


def document(**changes: Any) -> dict[str, Any]:
    return {"name": "set", "global": GLOBAL, "scenarios": [SCENARIO], **changes}


def one(**changes: Any) -> dict[str, Any]:
    """A document whose only scenario differs by ``changes``."""
    return document(scenarios=[{**SCENARIO, **changes}])


def shared(**changes: Any) -> dict[str, Any]:
    return document(**{"global": {**GLOBAL, **changes}})


# what the file holds → what the message must hold, besides the file
DOCUMENTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("unknown top key", document(scenario=[]), ["scenario: unknown key (got [])", "Did you mean 'scenarios'?"]),
    ("no scenarios", {"name": "s"}, ["scenarios: is missing"]),
    ("empty scenarios", document(scenarios=[]), ["scenarios: is an empty list"]),
    ("scenarios no list", document(scenarios={"a": 1}), ["scenarios: must be a list", '{"a": 1}']),
    ("set name with slash", document(name="a/b"), ["name: must have no slash", '"a/b"']),
    ("set name no text", document(name=5), ["name: must be a string (got 5)"]),
    ("data key", document(data={"seeed": 1}), ["data.seeed: unknown key (got 1)", "Did you mean 'seed'?"]),
    ("data no object", document(data=[1]), ["data: must be an object", "[1]"]),
    ("data seed negative", document(data={"seed": -1}), ["data.seed: must be greater than or equal to 0 (got -1)"]),
    ("data catalog empty", document(data=""), ["data.catalog: string should have at least 1 character"]),
    ("global no object", document(**{"global": []}), ["global: must be an object", "[]"]),
    ("global name", shared(name="x"), ["global.name: unknown key"]),
    ("global key", shared(acount={}), ["global.acount: unknown key (got {})", "Did you mean 'account'?"]),
    ("global account", shared(account={"balance": -5}), ["global.account.balance: must be greater than 0 (got -5)"]),
    ("global block", shared(execution={"block_ticks": 0}), ["global.execution.block_ticks", "(got 0)"]),
    ("global workers list", shared(workers=["rsi"]), ["global.workers: must be an object", '["rsi"]']),
    (
        "global latency",
        shared(account={"latency": {"kind": "uniform", "ms": 5, "max_ms": 1}}),
        ["global.account.latency: uniform latency needs max_ms at or above ms 5 (max_ms is 1"],
    ),
    (
        "missing symbol",
        document(scenarios=[{k: v for k, v in SCENARIO.items() if k != "symbol"}]),
        ["scenarios[0].symbol: is missing"],
    ),
    (
        "missing name",
        document(scenarios=[{k: v for k, v in SCENARIO.items() if k != "name"}]),
        ["scenarios[0].name: is missing"],
    ),
    ("scenario no object", document(scenarios=["a"]), ["scenarios[0]: must be an object", '"a"']),
    ("bad scenario name", one(name="a\nb"), ["scenarios[0].name: must have no slash", r'"a\nb"']),
    ("bad symbol", one(symbol="EUR/USD"), ["scenarios[0].symbol: must be a letter or digit", '"EUR/USD"']),
    ("unknown key", one(max_tick=5), ["scenarios[0].max_tick: unknown key (got 5)", "Did you mean 'max_ticks'?"]),
    (
        "naive start",
        one(start="2025-09-25T14:00:00"),
        ["scenarios[0].start: has no time zone", "2025-09-25T14:00:00Z", "got"],
    ),
    ("date only", one(start="2025-09-25"), ["scenarios[0].start: must be an ISO 8601 time", '"2025-09-25"']),
    ("number for a time", one(start=1758808800), ["scenarios[0].start: must be an ISO 8601 time", "1758808800"]),
    ("nanoseconds", one(start="2025-09-25T14:00:00.123456789Z"), ["scenarios[0].start", "at most 6 decimals"]),
    ("no such day", one(start="2025-02-30T14:00:00Z"), ["scenarios[0].start", "2025-02-30"]),
    ("far future", one(start="9999-12-31T23:59:59-05:00"), ["scenarios[0].start: must lie in the years 1970 to 2200"]),
    ("before 1970", one(start="1969-12-31T23:59:59Z"), ["scenarios[0].start: must lie in the years 1970 to 2200"]),
    ("no window", one(max_ticks=None), ["scenarios[0]: a window needs 'end' or 'max_ticks'"]),
    (
        "end before start",
        one(end="2025-09-25T13:00:00Z"),
        ["scenarios[0]: end 2025-09-25T13:00:00+00:00 is not after start"],
    ),
    ("zero ticks", one(max_ticks=0), ["scenarios[0].max_ticks", "(got 0)"]),
    ("text for an integer", one(max_ticks="100"), ['scenarios[0].max_ticks: must be an integer (got "100")']),
    ("bool for an integer", one(max_ticks=True), ["scenarios[0].max_ticks: must be an integer (got true)"]),
    ("fraction for an integer", one(seed=1.5), ["scenarios[0].seed: must be an integer (got 1.5)"]),
    (
        "text for a bool",
        one(execution={"profile": "yes"}),
        ['scenarios[0].execution.profile: must be a boolean (got "yes")'],
    ),
    (
        "text for a float",
        one(live_stats={"update_interval_sec": "1"}),
        ['scenarios[0].live_stats.update_interval_sec: must be a number (got "1")'],
    ),
    ("bool for money", one(account={"balance": True}), ["scenarios[0].account.balance", "(got true)"]),
    (
        "bar price",
        one(bar_price="med"),
        ["scenarios[0].bar_price: must be 'mid', 'bid' or 'ask' (got \"med\")", "Did you mean 'mid'?"],
    ),
    ("worker no object", one(workers={"rsi_fast": 5}), ["scenarios[0].workers.rsi_fast: must be an object", "(got 5)"]),
    ("worker without type", one(workers={"new": {"period": 5}}), ["scenarios[0].workers.new.type: is missing"]),
    ("worker name", one(workers={"a/b": {"type": "rsi"}}), ["scenarios[0].workers.a/b: must have no slash"]),
    (
        "dropped worker",
        one(workers={"rsi_fats": None}),
        ["scenarios[0].workers.rsi_fats: null drops a worker", "Did you mean 'rsi_fast'?"],
    ),
    ("logic null", one(logic=None), ["scenarios[0].logic: must be an object", "(got null)"]),
    ("logic type number", one(logic={"type": 5}), ["scenarios[0].logic.type: must be a string (got 5)"]),
    (
        "account key",
        one(account={"ballance": 1}),
        ["scenarios[0].account.ballance: unknown key", "Did you mean 'balance'?"],
    ),
    ("latency key", one(account={"latency": {"max": 1}}), ["scenarios[0].account.latency.max: unknown key", "max_ms"]),
    (
        "latency max",
        one(account={"latency": {"max_ms": 1}}),
        ["scenarios[0].account.latency: max_ms goes with kind 'uniform' or 'lognormal' only"],
    ),
    (
        "rate",
        one(account={"conversion_rates": {"GBP": 0}}),
        ["scenarios[0].account.conversion_rates.GBP: must be greater than 0 (got 0)"],
    ),
    ("currency", one(account={"currency": "usd"}), ["scenarios[0].account.currency: must be 2 to 12 capital", '"usd"']),
    ("long value", one(symbol="x" * 5000), ["scenarios[0].symbol", "x" * 60, "…)"]),
    ("all disabled", one(enabled=False), ["scenarios", 'every scenario has "enabled": false']),
]


@pytest.mark.parametrize(("content", "parts"), [row[1:] for row in DOCUMENTS], ids=[row[0] for row in DOCUMENTS])
@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_document_refused(tmp_path: Path, content: dict[str, Any], parts: list[str], suffix: str) -> None:
    file = tmp_path / f"set{suffix}"
    file.write_text(json.dumps(content))  # JSON is YAML
    with pytest.raises(ConfigError) as caught:
        load_scenario_set(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    for part in parts:
        assert part in message
    assert max(map(len, message.splitlines())) < 400 + len(str(file))


BODY = json.dumps(SCENARIO)
# file name, bytes → message parts
TEXTS: list[tuple[str, str, bytes, list[str]]] = [
    ("json syntax", "s.json", b'{"name": "a",\n "scenarios": [}', ["not valid JSON", "line 2, column 16"]),
    ("json trailing", "s.json", b"{} x", ["not valid JSON", "line 1, column 4"]),
    (
        "json duplicate",
        "s.json",
        b'{"global": {"account": {"balance": 1, "balance": 2}}}',
        ["global.account.balance: this key stands twice"],
    ),
    (
        "json duplicate in list",
        "s.json",
        b'{"scenarios": [{"name": "a"}, {"seed": 1, "seed": 1}]}',
        ["scenarios[1].seed: this key stands twice"],
    ),
    (
        "json two flaws",
        "s.json",
        b'{"global": {"seed": NaN, "account": {"balance": -Infinity}}}',
        [
            "global.seed: must be a finite number (got NaN)",
            "global.account.balance: must be a finite number (got -Infinity)",
        ],
    ),
    (
        "json range",
        "s.json",
        b'{"global": {"account": {"balance": 1e999}}}',
        ["global.account.balance: number out of range", "1e999"],
    ),
    ("json long integer", "s.json", b'{"seed": ' + b"9" * 5000 + b"}", ["seed: number out of range"]),
    ("json top list", "s.json", b"[1]", ["must be an object", "a list"]),
    ("json deep", "s.json", b"[" * 200_000, ["nested too deeply"]),
    ("not utf-8", "s.json", b'{"name": "\xff"}', ["not UTF-8", "byte 10 is 0xff"]),
    ("empty", "s.json", b" \n", ["is empty"]),
    ("empty yaml", "s.yaml", b"# nothing\n", ["is empty"]),
    ("suffix", "s.toml", b"a = 1", ["must end in .json, .yaml, .yml", "'s.toml'"]),
    ("yaml syntax", "s.yaml", b"name: [1,\nglobal: {", ["not valid YAML", "line"]),
    ("yaml tab", "s.yaml", b"a:\n\tb: 1\n", ["not valid YAML", "line 2"]),
    ("yaml control", "s.yaml", b"name: \x01\n", ["not valid YAML"]),
    ("yaml duplicate", "s.yaml", b"global:\n  seed: 1\n  seed: 2\n", ["global.seed: this key stands twice", "line 3"]),
    ("yaml alias", "s.yaml", b"data: &d {seed: 1}\nglobal: *d\n", ["global: YAML aliases", "line 2"]),
    ("yaml bomb", "s.yaml", b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", ["b[0]: YAML aliases"]),
    ("yaml recursive", "s.yaml", b"a: &a [*a]\n", ["a[0]: YAML aliases"]),
    ("yaml merge", "s.yaml", b"a: &a {seed: 1}\nb:\n  <<: *a\n", ["b: YAML merge keys", "line 3"]),
    ("yaml tag", "s.yaml", b"a: !!python/object/apply:os.system [ls]\n", ["a: the YAML tag", "python"]),
    ("yaml binary", "s.yaml", b"a: !!binary aGk=\n", ["a: the YAML tag"]),
    ("yaml set", "s.yaml", b"a: !!set {x}\n", ["a: the YAML tag"]),
    ("yaml yes", "s.yaml", b"global:\n  execution: {profile: yes}\n", ["global.execution.profile: 'yes' is ambiguous"]),
    ("yaml sexagesimal", "s.yaml", b"global: {seed: 1:30}\n", ['global.seed: "1:30" is ambiguous']),
    ("yaml octal", "s.yaml", b"global: {seed: 010}\n", ['global.seed: "010" is ambiguous']),
    ("yaml underscore", "s.yaml", b"global: {seed: 1_000}\n", ['global.seed: "1_000" is ambiguous']),
    (
        "yaml nan",
        "s.yaml",
        b"global: {account: {balance: .nan}}\n",
        ["global.account.balance: must be a finite number (got .nan)"],
    ),
    (
        "yaml naive time",
        "s.yaml",
        b"global: {start: 2025-09-25T14:00:00, logic: {type: t}}\nscenarios: [{name: a}]\n",
        ["global.start: has no time zone"],
    ),
    (
        "yaml date",
        "s.yaml",
        b"global: {start: 2025-09-25}\nscenarios: [{name: a}]\n",
        ["global.start: must be an ISO 8601 time", "2025-09-25"],
    ),
    ("yaml deep", "s.yaml", b"a: " + b"[" * 300_000, ["nested too deeply", "line 1"]),
    ("yaml 65 levels", "s.yaml", b"[" * 66 + b"]" * 66, ["nested too deeply"]),
    ("json 65 levels", "s.json", b"[" * 66 + b"]" * 66, ["nested too deeply"]),
    ("yaml list as key", "s.yaml", b"global:\n  [1, 2]: 3\n", ["global: a key must be plain text", "line 2"]),
    ("yaml two documents", "s.yaml", b"a: 1\n---\nb: 1\n", ["second YAML document at line 2"]),
    (
        "duplicate names",
        "s.json",
        f'{{"scenarios": [{BODY}, {BODY}]}}'.encode(),
        ['scenarios[1].name: the name "a" is taken by scenarios[0]'],
    ),
]


@pytest.mark.parametrize(("name", "raw", "parts"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_text_refused(tmp_path: Path, name: str, raw: bytes, parts: list[str]) -> None:
    file = tmp_path / name
    file.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_scenario_set(file)
    assert str(caught.value).startswith(f"{file}: ")
    for part in parts:
        assert part in str(caught.value)


SETS: list[tuple[str, list[str]]] = [
    ("logic.lots", ["--set logic.lots: must be path=value"]),
    ("=5", ["must be path=value"]),
    ("a..b=5", ["cannot read the path at character 2"]),
    (".logic.lots=5", ["cannot read the path at character 1"]),
    ("logics.lots=5", ["--set logics.lots=5: logics: unknown path", "Did you mean 'logic'?"]),
    ("scenario[0].seed=5", ["scenario: unknown path", "Did you mean 'scenarios'?"]),
    ("account.balnce=5", ["account.balnce: unknown path", "Did you mean 'balance'?"]),
    ("account.balance=-5", ["account.balance: must be greater than 0 (got -5)"]),
    ("account.latency.max=5", ["account.latency.max: unknown path", "max_ms"]),
    ("execution.block_ticks=many", ['execution.block_ticks: must be an integer (got "many")']),
    ("seed.low=5", ["seed: must be an integer"]),
    ("seed=NaN", ["seed: must be a finite number (got NaN)"]),
    ('logic={"a": 1, "a": 2}', ["a: this key stands twice"]),
    ("logic=macd_cross", ["logic: must be an object", '"macd_cross"']),
    ("start=2025-09-25T14:00:00", ["start: has no time zone"]),
    ("data.sed=3", ["data.sed: unknown path", "Did you mean 'seed'?"]),
    ("data.seed=x", ['data.seed: must be an integer (got "x")']),
    ("global.acount.balance=3", ["global.acount: unknown path", "Did you mean 'account'?"]),
    ("name.x=3", ["'name' has nothing below it"]),
    ("name=a/b", ["name: must have no slash"]),
    ("scenarios=[]", ["name one scenario and one of its values"]),
    ("scenarios[0]=5", ["name one scenario and one of its values"]),
    ("scenarios[7].seed=5", ["scenarios[7]: the set has 1 scenarios"]),
    ("scenarios[b].seed=5", ["scenarios[b]: no scenario has this name", "Known: a"]),
    ("scenarios[0].sed=5", ["sed: unknown path", "Did you mean 'seed'?"]),
    ("scenarios[0].name=b", ["the name of a scenario cannot be set"]),
    ("workers.rsi_fats.period=5", ["workers.rsi_fats: no scenario has a worker", "Did you mean 'rsi_fast'?"]),
    ('workers.new={"period": 5}', ["workers.new.type: is missing"]),
    ("workers.rsi_fast.type=null", ["workers.rsi_fast.type: must be a string (got null)"]),
    ("\x1b[31m=5", [r"--set \x1b[31m=5"]),
    ("logic.lots[0]=5", ["there is nothing at 0 that could be set"]),
]


@pytest.mark.parametrize(("override", "parts"), SETS, ids=[row[0] for row in SETS])
def test_override_refused(tmp_path: Path, override: str, parts: list[str]) -> None:
    file = tmp_path / "set.json"
    file.write_text(json.dumps(document()))
    with pytest.raises(ConfigError) as caught:
        load_scenario_set(file, [override])
    assert "--set" in str(caught.value) or str(file) in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_no_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.json: no such file"):
        load_scenario_set(tmp_path / "nowhere.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ConfigError, match=r"folder\.json: is a folder"):
        load_scenario_set(tmp_path / "folder.json")


def test_size_bound(tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    with file.open("wb") as stream:
        stream.truncate(256 * 2**20 + 1)  # sparse
    with pytest.raises(ConfigError, match="268,435,457 bytes, more than 268,435,456"):
        load_scenario_set(file)


def test_all_problems_at_once(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(json.dumps({**shared(acount={}, seed=-1), "data": {"x": 1}, "nam": 1}))
    with pytest.raises(ConfigError) as caught:
        load_scenario_set(file)
    message = str(caught.value)
    assert len(message.splitlines()) == 4
    assert all(row.startswith(f"{file}: ") for row in message.splitlines())


def test_many_problems_are_bounded(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(json.dumps(document(scenarios=[{"name": f"s{i}", "symbol": "A"} for i in range(300)])))
    with pytest.raises(ConfigError) as caught:
        load_scenario_set(file)
    rows = str(caught.value).splitlines()
    assert len(rows) == 51
    assert rows[-1] == "… and 250 more"


def test_global_mistake_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    both = [SCENARIO, {**SCENARIO, "name": "b"}]
    file.write_text(json.dumps({**shared(account={"balance": 0}), "scenarios": both}))
    with pytest.raises(ConfigError) as caught:
        load_scenario_set(file)
    assert str(caught.value) == f"{file}: global.account.balance: must be greater than 0 (got 0)"


def test_one_bad_scenario_leaves_the_others(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    bad = {**SCENARIO, "name": "b", "symbol": "GBPUSD", "seed": -1, "max_ticks": "x"}
    nameless = {"symbol": "EURUSD"}
    file.write_text(json.dumps(document(scenarios=[SCENARIO, bad, nameless, 5])))
    found = load_scenario_set(file).scenarios
    assert [each.name for each in found] == ["a", "b", "scenarios[2]", "scenarios[3]"]
    assert [each.symbol if not isinstance(each, InvalidScenario) or each.symbol else "" for each in found] == [
        "EURUSD",
        "GBPUSD",
        "EURUSD",
        "",
    ]
    assert isinstance(found[1], InvalidScenario)
    assert len(found[1].reasons) == 2
    assert all(reason.startswith(f"{file}: scenarios[1].") for reason in found[1].reasons)


def test_only(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    rows = [{**SCENARIO, "name": name} for name in ("one", "two", "three")]
    rows[2]["enabled"] = False
    file.write_text(json.dumps(document(scenarios=rows)))
    assert [each.name for each in load_scenario_set(file).scenarios] == ["one", "two"]
    assert [each.name for each in load_scenario_set(file, only=["two"]).scenarios] == ["two"]
    with pytest.raises(ConfigError, match=r"no scenario is named 'twoo'.*Did you mean 'two'\?"):
        load_scenario_set(file, only=["one", "twoo"])
    with pytest.raises(ConfigError, match=r"--only.*\"enabled\": false: three"):
        load_scenario_set(file, only=["one", "three"])
    found = load_scenario_set(file, ["scenarios[three].enabled=true"], only=["three"])
    assert [each.name for each in found.scenarios] == ["three"]
