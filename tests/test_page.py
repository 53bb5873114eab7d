"""The page of `autoray graph` in a real browser: it opens without a word on the console, search finds, groups open and close, nodes
and lines lead to each other, and 20,102 nodes open grouped."""
import pytest

from conftest import ROOT, autoray
from devtools import Browser

SCRIPT = ROOT / "examples/gram_schmidt.ar"
# The place of an item on the screen.
PLACE = """(() => { const a = window.autoray, it = a.items()[%s], r = document.getElementById('graph').getBoundingClientRect();
  return [r.left + it.x * a.camera.k + a.camera.x, r.top + (it.y - it.h / 2 + %s) * a.camera.k + a.camera.y]; })()"""


def page(folder, rows, *more):
    path = folder / f"graph{rows}{len(more)}.html"
    done = autoray("graph", SCRIPT, "--call", "modified_gram_schmidt", "--arg", f"X=float64[{rows},{rows}]", "-o", path, *more)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def browser():
    with Browser() as b:
        yield b


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return page(tmp_path_factory.mktemp("page"), 5)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return page(tmp_path_factory.mktemp("page"), 100)


@pytest.fixture(autouse=True)
def silent(browser):
    browser.problems.clear()
    yield
    assert browser.problems == []


def text(browser, selector):
    return browser.evaluate(f"document.querySelector('{selector}').textContent")


def test_opens_whole(browser, small):
    browser.open(small)
    assert "57 nodes" in text(browser, "#totals")
    assert browser.evaluate("window.autoray.items().filter(it => it.node != null).length") == 57
    assert browser.evaluate("window.autoray.state.view") == "nodes"
    # Something is drawn: the canvas is not of one colour.
    assert browser.evaluate("""new Set(new Uint32Array(document.getElementById('graph').getContext('2d')
        .getImageData(0, 0, 800, 500).data.buffer)).size""") > 10


def test_asks_for_nothing(browser, small):
    browser.open(small)
    assert browser.evaluate("performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length") == 0


def test_boxes_do_not_overlap(browser, small):
    browser.open(small)
    for view in ("nodes", "line", "function", "operation"):
        browser.evaluate(f"window.autoray.setView('{view}')")
        for press in ("collapse", "expand"):
            if view != "nodes":
                browser.evaluate(f"document.getElementById('{press}').click()")
            assert browser.evaluate("""(() => { const list = window.autoray.items();
                const over = (a, b) => Math.abs(a.x - b.x) < (a.w + b.w) / 2 - 0.6 && Math.abs(a.y - b.y) < (a.h + b.h) / 2 - 0.6;
                return list.some((a, i) => list.some((b, k) => k < i && a.inside !== k && b.inside !== i && over(a, b))); })()""") is False


def test_search_finds_a_node(browser, small):
    browser.open(small)
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("stack")
    assert text(browser, "#found") == "1"
    browser.key("Enter")
    assert "stack" in text(browser, "#details .expression")
    assert browser.evaluate("window.autoray.state.focus.node") == 56
    browser.evaluate("document.getElementById('search').value = 'line:17'")
    browser.evaluate("document.getElementById('search').dispatchEvent(new Event('input'))")
    assert text(browser, "#found") == "20"
    browser.evaluate("document.getElementById('search').value = 'nothing like it'")
    browser.evaluate("document.getElementById('search').dispatchEvent(new Event('input'))")
    assert text(browser, "#found") == "0"


def test_groups_open_and_close(browser, small):
    browser.open(small)
    browser.evaluate("document.querySelector('#views [data-value=line]').click()")
    closed = browser.evaluate("window.autoray.items().length")
    assert closed == 7  # the inputs, five lines of the loop and the stack
    at = browser.evaluate("window.autoray.items().findIndex(it => it.group != null && window.autoray.data.stages[0].views[0].groups[it.group].count === 20)")
    x, y = browser.evaluate(PLACE % (at, 10))
    browser.click(x, y, count=2)
    assert browser.evaluate("window.autoray.items().length") == closed + 20
    x, y = browser.evaluate(PLACE % ("window.autoray.items().findIndex(it => it.opened)", 10))
    browser.click(x, y, count=2)
    assert browser.evaluate("window.autoray.items().length") == closed
    browser.evaluate("document.getElementById('expand').click()")
    assert browser.evaluate("window.autoray.items().length") == closed + 57
    browser.evaluate("document.getElementById('collapse').click()")
    assert browser.evaluate("window.autoray.items().length") == closed
    browser.evaluate("document.querySelector('#views [data-value=function]').click()")
    assert browser.evaluate("window.autoray.items().length") == 2


def test_nodes_and_lines_lead_to_each_other(browser, small):
    browser.open(small)
    x, y = browser.evaluate(PLACE % (1, 10))
    browser.click(x, y)
    assert browser.evaluate("window.autoray.state.focus.node") == 1
    assert browser.evaluate("[...document.querySelectorAll('.code.chosen .number')].map(e => e.textContent)") == ["15"]
    browser.evaluate("document.querySelector('.code[data-line=\"0:17\"]').click()")
    assert browser.evaluate("window.autoray.state.chosen.size") == 20
    assert text(browser, "#details h2") == "gram_schmidt.ar:17"
    assert text(browser, "#details .expression").startswith("rij = do('tensordot'")


def test_memory_leads_to_nodes(browser, small):
    browser.open(small)
    x, y = browser.evaluate("(() => { const r = document.getElementById('strip').getBoundingClientRect(); return [r.left + r.width / 2, r.top + 20]; })()")
    browser.click(x, y)
    assert browser.evaluate("window.autoray.state.focus.node") in (27, 28, 29)
    assert "after step" in text(browser, "#memory-value")


def test_colours_and_stages(browser, small):
    browser.open(small)
    fills = "JSON.stringify(window.autoray.items().map(it => it.fill))"
    plain = browser.evaluate(fills)
    for by in ("flops", "bytes", "memory"):
        browser.evaluate(f"document.querySelector('#colours [data-value={by}]').click()")
        assert browser.evaluate(fills) != plain
    browser.evaluate("document.querySelector('#stages [data-value=\"1\"]').click()")
    assert browser.evaluate("window.autoray.state.stage") == 1
    # Conjugates of reals are gone.
    assert browser.evaluate("window.autoray.items().length") < 57


def test_pan_and_zoom(browser, small):
    browser.open(small)
    before = browser.evaluate("({...window.autoray.camera})")
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=400, y=400, deltaX=0, deltaY=-300)
    zoomed = browser.evaluate("({...window.autoray.camera})")
    assert zoomed["k"] > before["k"]
    browser.call("Input.dispatchMouseEvent", type="mousePressed", x=60, y=600, button="left", clickCount=1)
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=160, y=640, button="left", buttons=1)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", x=160, y=640, button="left", clickCount=1)
    moved = browser.evaluate("({...window.autoray.camera})")
    assert (moved["x"] - zoomed["x"], moved["y"] - zoomed["y"]) == (100, 40)


def test_large_graph_opens_grouped(browser, large):
    browser.open(large)
    assert "20,102 nodes" in text(browser, "#totals")
    assert browser.evaluate("window.autoray.state.view") == "line"
    assert browser.evaluate("window.autoray.items().length") == 7
    # Opened, and as nodes alone, it is there whole.
    browser.evaluate("document.getElementById('expand').click()")
    assert browser.evaluate("window.autoray.items().length") == 7 + 20102
    browser.evaluate("document.querySelector('#views [data-value=nodes]').click()")
    assert browser.evaluate("window.autoray.items().length") == 20102
    assert browser.evaluate("(() => { const t = performance.now(); window.autoray.paint(); return performance.now() - t; })()") < 5000


@pytest.mark.parametrize("body, notice", [("return 3.0", "Nothing was recorded"), ("return x", "")])
def test_empty_and_one_node(browser, tmp_path, body, notice):
    script = tmp_path / "f.ar"
    script.write_text(f"def f(x):\n    {body}\n")
    path = tmp_path / "f.html"
    done = autoray("graph", script, "--call", "f", "--arg", "x=float64[3]", "-o", path)
    assert done.returncode == 0, done.stderr
    browser.open(path)
    for view in ("nodes", "line", "operation"):
        browser.evaluate(f"document.querySelector('#views [data-value={view}]').click()")
    assert notice in text(browser, "#notice")
