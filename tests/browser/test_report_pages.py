"""The report in a real browser: headless Chromium opens the files as a reader does, from the disk."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_runs import CLOSER, FORMULA, HOSTILE, IMAGE, OPENER, large_run, real_run, real_sweep, report_of

from finiex_ray.sweep.results import SweepData

playwright = pytest.importorskip("playwright.sync_api", reason="PLAYWRIGHT ABSENT: pip install playwright")

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "screenshots"
SCHEMES = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = os.environ.get("FINIEX_CHROMIUM") or next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("CHROMIUM ABSENT: make browser-setup (Debian), or set FINIEX_CHROMIUM to its path")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_of(real_run(tmp_path_factory.mktemp("real")))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> SweepData:
    found = real_sweep(tmp_path_factory.mktemp("swept"))
    found.report()
    return found


class Watched:
    """A page whose console, errors and broken policies are written down."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.context.add_init_script(
            "window.broken = []; addEventListener('securitypolicyviolation', e => broken.push(e.violatedDirective))"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)  # ms, on a busy machine
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path) -> Any:
        self.page.goto(path.as_uri())
        self.page.wait_for_selector(".data-table tbody tr", state="attached")
        return self.page

    def charts(self) -> None:
        """Waits until every chart of the page is drawn."""
        for chart in self.page.query_selector_all(".chart"):
            chart.scroll_into_view_if_needed()
            chart.wait_for_selector(".main-svg", state="attached")

    def check(self) -> None:
        assert self.complaints == []
        assert self.page.evaluate("broken") == []
        assert self.page.evaluate("window.stolen") is None
        assert [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    made = Watched(browser, viewport={"width": 1280, "height": 900})
    yield made
    made.check()
    made.context.close()


def column(page: Any, key: str, table: str = "scenarios") -> list[str]:
    headings = page.locator(f"[data-table={table}] thead th").all_inner_texts()
    place = headings.index(key) + 1
    return page.locator(f"[data-table={table}] tbody tr > :nth-child({place})").all_inner_texts()


def until(page: Any, expression: str, value: object) -> None:
    """Waits for a value; the page's policy lets no text be run as code, so that its own waiting will not do."""
    for _ in range(600):
        if page.evaluate(expression) == value:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{expression} is {page.evaluate(expression)!r}")


def amounts(texts: list[str]) -> list[float]:
    return [float(text.replace("−", "-").replace(",", "")) for text in texts if text != "–"]


def test_the_table_sorts_by_mouse_and_by_key(watched: Watched, report: Path) -> None:
    page = watched.open(report / "index.html")
    heading = page.locator("[data-table=scenarios] th", has_text="net profit")
    assert heading.get_attribute("aria-sort") is None
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    seen = amounts(column(page, "net profit"))
    assert len(seen) == 4
    assert seen == sorted(seen, reverse=True)
    assert column(page, "net profit")[-1] == "–"  # what has no value comes last, whichever way
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert amounts(column(page, "net profit")) == sorted(seen)
    assert column(page, "net profit")[-1] == "–"
    assert page.locator("[aria-sort]").count() == 1


def test_the_table_filters_by_words_and_numbers(watched: Watched, report: Path) -> None:
    page = watched.open(report / "index.html")
    field = page.get_by_role("searchbox", name="Filter scenarios")
    field.fill("usdjpy")
    assert column(page, "scenario") == ["week"]
    assert "1 of 5" in page.locator("[data-table=scenarios] output").inner_text()
    field.fill("eurusd trades>0")
    assert set(column(page, "scenario")) <= set(HOSTILE)
    assert all(value > 0 for value in amounts(column(page, "trades")))
    field.fill("nothing at all")
    assert column(page, "scenario") == []
    field.fill("")
    assert len(column(page, "scenario")) == 5


def test_a_scenario_opens_and_its_panels_zoom_together(watched: Watched, report: Path) -> None:
    page = watched.open(report / "index.html")
    page.get_by_role("link", name="week", exact=True).first.click()
    page.wait_for_selector("#chart-timeline .main-svg", state="attached")
    assert page.locator("h1").inner_text() == "week"
    buttons = page.locator("#chart-timeline .modebar-btn").evaluate_all("all => all.map(each => each.dataset.title)")
    assert buttons == ["Download plot as a PNG", "Zoom", "Pan", "Reset axes"]  # none that sends the chart somewhere
    axes = page.evaluate(
        "(() => { const l = document.getElementById('chart-timeline')._fullLayout;"
        " return Object.keys(l).filter(key => /^yaxis/.test(key)).length })()"
    )
    assert axes == 4  # price, RSI, equity, drawdown
    shared = "[...new Set(document.getElementById('chart-timeline').data.map(trace => trace.xaxis))]"
    assert page.evaluate(shared) == ["x"]
    kinds = page.evaluate("document.getElementById('chart-timeline').data.map(trace => trace.name)")
    assert {"M5", "band upper", "band lower", "buy entry", "sell entry", "exit", "equity", "drawdown"} <= set(kinds)

    def ranges() -> list[list[float]]:
        return page.evaluate(
            "['xaxis', 'yaxis', 'yaxis4'].map(name => document.getElementById('chart-timeline')._fullLayout[name].range"
            ".map(value => typeof value === 'number' ? value : Date.parse(value)))"
        )

    before = ranges()
    page.locator("[data-zoom=in]").click()
    page.wait_for_timeout(300)
    after = ranges()
    assert after[0][1] - after[0][0] == pytest.approx((before[0][1] - before[0][0]) / 2, rel=1e-3)
    assert after[1] != before[1]  # heights follow
    assert after[2] != before[2]
    # With the mouse over the lowest panel: the price goes with it.
    page.locator("#chart-timeline").scroll_into_view_if_needed()
    box = page.locator("#chart-timeline .nsewdrag").last.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 22, steps=5)
    page.mouse.up()
    page.wait_for_timeout(600)
    dragged = ranges()
    assert dragged[0][1] - dragged[0][0] < (after[0][1] - after[0][0]) / 2
    page.locator("[data-zoom=all]").click()
    page.wait_for_timeout(300)
    assert ranges()[0] == pytest.approx(before[0])


def test_the_csv_holds_what_the_table_shows(watched: Watched, report: Path) -> None:
    page = watched.open(report / "index.html")
    page.get_by_role("searchbox", name="Filter scenarios").fill("eurusd")
    page.locator("[data-table=scenarios] th", has_text="scenario").locator("button").click()
    with page.expect_download() as waiting:
        page.locator("[data-table=scenarios] [data-csv]").click()
    assert waiting.value.suggested_filename == "scenarios.csv"
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == column(page, "scenario")
    assert set(HOSTILE) <= {row["name"] for row in rows}
    assert [float(row["net_profit"]) for row in rows if row["net_profit"]] == amounts(column(page, "net profit"))


def test_names_are_shown_and_do_nothing(watched: Watched, report: Path) -> None:
    for name in HOSTILE:
        page = watched.open(report / "index.html")
        assert page.locator("h1").inner_text() == "set " + OPENER
        page.get_by_role("link", name=name, exact=True).first.click()
        page.wait_for_selector("#chart-timeline .main-svg", state="attached")
        assert page.locator("h1").inner_text() == name
        assert page.title() == f"{name} · finiex_ray"
        assert page.locator("img, b").count() == 0


def test_a_sweep_is_explored(watched: Watched, swept: SweepData) -> None:
    page = watched.open(swept.run_dir.path / "report" / "index.html")
    watched.charts()
    assert page.locator("h1").inner_text() == f"sweep {OPENER}"
    assert page.locator("img, b").count() == 0

    def cells() -> list[list[float]]:
        return page.evaluate("document.getElementById('chart-heatmap').data[0].z")

    page.get_by_label("x", exact=True).select_option(label="sl_points")
    page.get_by_label("y", exact=True).select_option(label="period")
    page.get_by_label("metric", exact=True).select_option(label="trades")
    page.get_by_label("shows", exact=True).select_option(label="max")
    until(page, "document.getElementById('chart-heatmap').layout.xaxis.title.text", "sl_points")
    wanted = swept.complete.pivot_table(
        index="workers.rsi_fast.period", columns="logic.sl_points", values="trades", aggfunc="max"
    )
    assert cells() == wanted.to_numpy().tolist()

    lines = "document.getElementById('chart-parallel').data.flatMap(t => t.y).filter(y => y === null).length"  # ends of lines
    assert page.evaluate(lines) == len(swept.complete)
    page.get_by_role("searchbox", name="Filter trials").fill("sl_points=60 complete")
    assert column(page, "sl_points", "trials") == ["60", "60"]
    until(page, lines, 2)
    page.get_by_role("link", name=f"t{swept.best()['trial']:05d}_{IMAGE}", exact=True).click()
    page.wait_for_selector("#chart-timeline .main-svg", state="attached")
    assert page.locator("h1").inner_text().endswith(IMAGE)
    page.get_by_role("link", name=f"← sweep {OPENER}", exact=True).click()
    page.wait_for_selector("[data-table=folds], [data-table=trials]", state="attached")


def test_tables_need_no_charts(browser: Any, tmp_path: Path, report: Path) -> None:
    """Nothing of the page waits for the large script; where it is missing, the charts say so."""
    copy = tmp_path / "report"
    shutil.copytree(report, copy)
    (copy / "assets" / "plotly.min.js").unlink()
    watched = Watched(browser)
    page = watched.open(copy / "index.html")
    page.get_by_role("searchbox", name="Filter scenarios").fill("usdjpy")
    assert column(page, "scenario") == ["week"]
    page.get_by_text("needs the folder assets").first.wait_for()
    assert all("ERR_FILE_NOT_FOUND" in each for each in watched.complaints)
    watched.context.close()


def test_a_script_in_the_page_would_be_stopped(browser: Any, report: Path, tmp_path: Path) -> None:
    """The policy works: what would get past the escaping does not run."""
    copy = tmp_path / "report"
    shutil.copytree(report, copy)
    page = copy / "index.html"
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("<main", f"<script>window.stolen = 1</script>{CLOSER[9:]}<main", 1), encoding="utf-8")
    watched = Watched(browser)
    opened = watched.open(page)
    assert opened.evaluate("window.stolen") is None
    assert set(opened.evaluate("broken")) >= {"script-src-elem", "script-src-attr"}
    watched.context.close()


def test_errors_open_and_the_keyboard_reaches_the_content(watched: Watched, report: Path) -> None:
    page = watched.open(report / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    error = page.locator("details.error")
    assert not error.locator("pre").is_visible()
    error.locator("summary").focus()
    page.keyboard.press("Enter")
    assert "has no symbol 'NOSUCH'" in error.locator("pre").inner_text()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, a, [role=img], [role=region]')].filter(e =>"
        " !(e.textContent.trim() || e.getAttribute('aria-label'))).map(e => e.outerHTML)"
    )
    assert unnamed == []
    assert page.evaluate("[...document.querySelectorAll('table')].every(table => table.caption)")


def test_definitions_show_on_hover_and_on_touch(watched: Watched, report: Path) -> None:
    page = watched.open(report / "scenarios" / "week.html")
    term = page.locator(".group dt", has_text="Recovery factor")
    assert term.locator("xpath=..").get_attribute("title") == "Net profit / maximal equity drawdown"
    term.click()
    shown = "getComputedStyle(document.activeElement, '::after').content"
    assert page.evaluate(shown) == '"Net profit / maximal equity drawdown"'


CONTRAST = """() => {
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$|transparent/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const e of document.querySelectorAll('main *, header *, nav *, footer')) {
    if (e.closest('.chart') || !e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(e.className + ' ' + e.textContent.slice(0, 30));
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pages_fit_the_screen_and_are_kept_as_pictures(
    browser: Any, report: Path, swept: SweepData, scheme: str
) -> None:
    watched = Watched(browser, **SCHEMES[scheme])
    SHOTS.mkdir(parents=True, exist_ok=True)
    sweep_page = swept.run_dir.path / "report" / "index.html"
    for name, path in (
        ("index", report / "index.html"),
        ("week", report / "scenarios/week.html"),
        ("sweep", sweep_page),
    ):
        page = watched.open(path)
        watched.charts()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
        assert page.evaluate(CONTRAST) == []
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=SHOTS / f"{name}-{scheme}.png", full_page=True)
        watched.check()
    watched.context.close()


def test_a_thousand_scenarios(watched: Watched, tmp_path: Path) -> None:
    folder = report_of(large_run(tmp_path, 1_000))
    page = watched.open(folder / "index.html")
    table = page.locator("[data-table=scenarios]")
    assert table.locator("output").inner_text() == "1–100 of 1,020"
    table.get_by_role("button", name="Next rows").click()
    assert table.locator("output").inner_text() == "101–200 of 1,020"
    page.get_by_role("searchbox", name="Filter scenarios").fill("net_profit>500")
    assert 0 < len(column(page, "scenario")) < 100
    page.get_by_role("searchbox", name="Filter scenarios").fill("hyperlink")
    with page.expect_download() as waiting:
        table.locator("[data-csv]").click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == [f"'{FORMULA} {place:03d} {CLOSER}" for place in range(20)]
    page.locator("details.error").first.locator("summary").click()
    watched.charts()
