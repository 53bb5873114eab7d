"""Limits of graphs: nodes and time, through the command line."""
import pytest

from conftest import autoray

GROWS = """
import numpy as np
from autoray import lazy
x = lazy.array(np.ones(3))
for i in range({steps}):
    x = x + 1
print(x.compute())
"""


def run(tmp_path, text, *options):
    script = tmp_path / "script.ar"
    script.write_text(text)
    return autoray("run", script, *options)


def test_a_graph_past_the_node_limit(tmp_path):
    done = run(tmp_path, GROWS.format(steps=2000), "--max-nodes=1000")
    assert done.returncode == 5 and "MemoryError: the graph has reached its limit of 1000 nodes" in done.stderr
    assert "script.ar:6:9" in done.stderr
    assert run(tmp_path, GROWS.format(steps=900), "--max-nodes=1000").stdout == "[901. 901. 901.]\n"


def test_freed_nodes_do_not_count(tmp_path):
    text = "import numpy as np\nfrom autoray import lazy\nx = np.ones(3)\nfor i in range(5000):\n" \
           "    x = (lazy.array(x) * 2 - x).compute()\nprint(x)\n"
    assert run(tmp_path, text, "--max-nodes=100").stdout == "[1. 1. 1.]\n"


@pytest.mark.parametrize("mode", ("passes", "plain", "shared", "folded"))
def test_cycles_with_lazy_arrays_are_freed(tmp_path, mode):
    text = "import numpy as np\nfrom autoray import lazy\nl = [lazy.array(np.ones(3)) + 1]\nl.append(l)\nd = {}\nd['d'] = d\n" \
           "d['x'] = np.arange(3) * 2\nprint(d['x'])\n"
    done = run(tmp_path, text, f"--defer={mode}")
    assert (done.returncode, done.stdout) == (0, "[0 2 4]\n"), done.stderr


def test_the_ways_to_defer(tmp_path):
    done = run(tmp_path, "print(1)\n", "--defer=passses")
    assert done.returncode == 2 and "passes, plain, shared, folded, native, canonicalise" in done.stderr
