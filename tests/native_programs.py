"""Random programs for the compiler: functions of a few arrays, made of element-wise operations, broadcasts, views, updates, reductions,
scans, movements, indices and small products. Each is a function of its seed alone.

    python tests/native_programs.py SEED COUNT    prints the functions
"""
import random
import sys

UNARY = ["np.negative({})", "np.abs({})", "np.square({})", "np.sign({})", "np.sqrt(np.abs({}))", "np.floor({})", "np.exp(np.sin({}))", "np.tanh({})",
         "np.log(np.abs({}) + 1.5)", "{} * 2.0", "1.0 - {}", "{} / 4.0", "{} ** 2", "np.cos({})", "np.maximum({}, 0.25)", "np.minimum({}, 1)",
         "np.where({0} > 0.5, {0}, -{0})", "np.clip({}, -1.0, 1.5)", "np.arctan({})", "np.astype(np.asarray({}), 'float32')", "({0} > np.mean({0})) * {0}",
         "np.round({} * 8.0) / 8.0", "np.round({}, 2)", "np.isclose({}, 0.5, atol=0.1) * 1.5", "np.clip({}, None, 0.75)",
         "np.astype(np.asarray({}), 'float16') * 1.25", "np.real(np.exp(1j * np.clip({}, -9.0, 9.0)))", "np.abs(np.sqrt({} + 0.5j))",
         "np.astype(np.asarray(np.clip({}, -99.0, 99.0) * 4.0), 'int32') // 3"]
BINARY = ["{} + {}", "{} - {}", "{} * {}", "{} / (np.abs({}) + 0.5)", "np.maximum({}, {})", "np.minimum({}, {})", "np.hypot({}, {})",
          "np.arctan2({}, {})", "np.where({} < {}, 1.0, 2.0)"]
REDUCE = ["np.sum({}, axis={})", "np.mean({}, axis={})", "np.max({}, axis={})", "np.min({}, axis={})", "np.sum({0} * {0}, axis={1})"]
SPREAD = ["np.argmax({}, axis={}) * 1.0", "np.argmin({}, axis={}) * 1.0", "np.std({}, axis={})", "np.var({}, axis={})", "np.sum({0}, axis={1}, where={0} > 0.0)",
          "np.max({}, axis={}, initial=1)"]
MOST = 20000  # elements of what grows


class Maker:
    """One function; every value is known by name and shape."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = []
        self.count = 0
        n, m = self.r.choice([(3, 5), (8, 8), (7, 16), (50, 50), (33, 2), (1, 20), (5, 300), (300, 4)])
        self.n, self.m = n, m
        self.values = {"x": (n, m), "y": (n, m), "v": (m,), "w": (n,), "s": ()}

    def new(self, text, shape):
        name = f"t{self.count}"
        self.count += 1
        self.lines.append(f"    {name} = {text}")
        self.values[name] = shape
        return name

    def pick(self, good=lambda shape: True):
        names = [name for name, shape in self.values.items() if good(shape)]
        # Newer values are likelier: programs become deep.
        return names[-1 - min(int(self.r.expovariate(0.4)), len(names) - 1)] if names else None

    def step(self):
        kind = self.r.choice(["unary"] * 4 + ["binary"] * 4 + ["reduce"] * 2 +
                             ["view", "view", "product", "einsum", "outer", "update", "join", "norm", "norms", "cast", "spread", "scan", "move", "move",
                              "gather", "scatter"])
        if kind == "unary":
            a = self.pick()
            return self.new(self.r.choice(UNARY).format(a), self.values[a])
        if kind == "binary":
            a = self.pick()
            b = self.pick(lambda s: broadcast(s, self.values[a]) is not None)
            return self.new(self.r.choice(BINARY).format(a, b), broadcast(self.values[a], self.values[b]))
        if kind in ("reduce", "spread"):
            a = self.pick(lambda s: len(s) > 0)
            shape = self.values[a]
            axis = self.r.choice([None] + list(range(len(shape))))
            left = () if axis is None else shape[:axis] + shape[axis + 1:]
            return self.new(self.r.choice(REDUCE if kind == "reduce" else SPREAD).format(a, axis), left)
        if kind == "scan":
            a = self.pick(lambda s: len(s) > 0)
            axis = self.r.randrange(len(self.values[a]))
            return self.new(f"np.cumsum({a}, axis={axis})", self.values[a])
        if kind == "move":
            return self.move()
        if kind in ("gather", "scatter"):
            return self.index(kind == "scatter")
        if kind == "view":
            a = self.pick(lambda s: len(s) == 2)
            n, m = self.values[a]
            form, shape = self.r.choice([(f"{a}.T", (m, n)), (f"{a}[:, ::-1]", (n, m)), (f"{a}[0]", (m,)), (f"{a}[:, -1]", (n,)),
                                         (f"{a}.reshape(-1)", (n * m,)), (f"{a}[1:, :]", (n - 1, m)), (f"{a}[:, None, 0]", (n, 1)),
                                         (f"np.reshape({a}, ({m}, {n}))", (m, n))])
            return self.new(form, shape) if 0 not in shape else None
        if kind == "einsum":
            a = self.pick(lambda s: len(s) == 2)
            b = self.pick(lambda s: len(s) == 2 and s[0] == self.values[a][1])
            c = b and self.pick(lambda s: len(s) == 1 and s[0] == self.values[b][1])
            if not c:
                return None
            n, m = self.values[a]
            form, shape = self.r.choice([("ij,jk,k->i", (n,)), ("ij,jk,k->ji", (m, n)), ("ij,jk,k->", ()), ("ij,jk,k->kij", None)])
            return shape is not None and self.new(f"np.einsum('{form}', {a}, {b}, {c}) / {m * self.values[c][0]}.0", shape)
        if kind == "outer":
            a, b = self.pick(lambda s: len(s) == 1), self.pick(lambda s: len(s) == 1)
            n, m = self.values[a][0], self.values[b][0]
            form, shape = self.r.choice([("np.outer({}, {})", (n, m)), ("np.kron({}, {})", (n * m,))])
            return n * m < 5000 and self.new(form.format(a, b), shape)
        if kind == "product":
            a = self.pick(lambda s: 0 < len(s) < 3)
            b = self.pick(lambda s: 0 < len(s) < 3 and s[0] == self.values[a][-1])
            if not b:
                return None
            shape = self.values[a][:-1] + self.values[b][1:]
            form = self.r.choice(["np.tensordot({}, {}, 1)", "{} @ {}"] if len(shape) else ["np.tensordot({}, {}, 1)", "np.dot({}, {})"])
            # Scaled, so that values stay of one size.
            return self.new(form.format(a, b) + f" / {self.values[a][-1]}.0", shape)
        if kind == "update":
            a = self.pick(lambda s: len(s) == 2 and s[0] > 1)
            if not a:
                return None
            name = self.new(f"{a} + 0.0", self.values[a])
            n, m = self.values[a]
            place, shape = self.r.choice([("[0]", (m,)), ("[:, 0]", (n,)), ("[1:]", (n - 1, m)), ("[::2]", ((n + 1) // 2, m)), ("[...]", (n, m))])
            b = self.pick(lambda s: broadcast(s, shape) == shape)
            self.lines.append(f"    {name}{place} {self.r.choice(['=', '+=', '*='])} {b}")
            return name
        if kind == "join":
            a = self.pick(lambda s: 0 < len(s) < 3)
            b = self.pick(lambda s: s == self.values[a])
            shape = self.values[a]
            if self.r.random() < 0.5:
                axis = self.r.randrange(len(shape) + 1)
                return self.new(f"np.stack([{a}, {b}], axis={axis})", shape[:axis] + (2,) + shape[axis:]) if len(shape) < 2 else None
            axis = self.r.randrange(len(shape))
            return self.new(f"np.concatenate([{a}, {b}], axis={axis})", shape[:axis] + (2 * shape[axis],) + shape[axis + 1:])
        if kind == "norm":
            a = self.pick(lambda s: len(s) == 1)
            return a and self.new(f"np.linalg.norm({a})", ())
        if kind == "norms":
            a = self.pick(lambda s: len(s) == 2)
            axis, order = self.r.randrange(2), self.r.choice([None, 1, 2, "np.inf", "-np.inf", 0])
            form = f"np.linalg.norm({a}, {order}, axis={axis})"
            return self.new(form, (self.values[a][1 - axis],))
        a = self.pick()
        return self.new(f"np.astype(np.asarray(np.floor({a} * 4.0)), '{self.r.choice(['int64', 'int32', 'float32'])}') + 1", self.values[a])

    def move(self):
        a = self.pick(lambda s: len(s) == 2)
        n, m = self.values[a]
        k, axis = self.r.randrange(1, 4), self.r.randrange(2)
        wide = lambda rows, columns: (n + rows, m) if axis == 0 else (n, m + columns)
        mode = self.r.choice(["constant", "edge", "reflect", "wrap", "symmetric", "maximum"])
        form, shape = self.r.choice([(f"np.roll({a}, {k}, axis={axis})", (n, m)), (f"np.roll({a}, {-k})", (n, m)),
                                     (f"np.pad({a}, (({k}, 0), (1, {k})), mode='{mode}')", (n + k, m + 1 + k)),
                                     (f"np.tile({a}, ({k}, 2))", (n * k, m * 2)), (f"np.repeat({a}, {k}, axis={axis})", wide(n * (k - 1), m * (k - 1))),
                                     (f"np.tril({a}, {k - 2})", (n, m)), (f"np.triu({a}, {k - 2})", (n, m)), (f"({a} + np.eye({n}, {m}, {k - 2}))", (n, m)),
                                     (f"np.diag({a}[0], {k - 2})", (m + abs(k - 2),) * 2), (f"{a}.T.reshape(-1)", (n * m,)),
                                     (f"np.ravel({a}, order='F')", (n * m,)), (f"np.vstack(({a}, {a}[0]))", (n + 1, m)),
                                     (f"np.concatenate(({a}, {a}[:1]), axis=None)", (n * m + m,)), (f"np.trace({a}, {k - 2})", ())])
        size = 1
        for extent in shape:
            size *= extent
        return self.new(form, shape) if 0 < size <= MOST else None

    def index(self, writes):
        a = self.pick(lambda s: len(s) > 0)
        b = self.pick(lambda s: len(s) == 1 and s[0] <= 300)
        axis = self.r.randrange(len(self.values[a]))
        n, count, shape = self.values[a][axis], self.values[b][0], list(self.values[a])
        place = f"np.cumsum({b} > 0.0) % {n} - {self.r.randrange(2) * n}"
        before = ":, " * axis
        shape[axis] = count
        size = count
        for extent in self.values[a]:
            size *= extent
        if size > MOST * 20:
            return None
        if not writes:
            return self.new(f"{a}[{before}{place}]", tuple(shape))
        name = self.new(f"{a} + 0.0", self.values[a])
        if self.r.random() < 0.3:
            self.lines.append(f"    {name}[{name} > 0.5] = s")
            return name
        c = self.pick(lambda s: broadcast(s, tuple(shape)) == tuple(shape))
        self.lines.append(f"    {name}[{before}{place}] {self.r.choice(['=', '+='])} {c}")
        return name

    def text(self, name):
        for _ in range(self.r.randrange(2, 14)):
            self.step()
        names = list(self.values)[5:] or ["x"]
        results = sorted(set(self.r.choices(names, k=self.r.randrange(1, 4)) + names[-1:]), key=names.index)
        self.lines.append("    return " + ", ".join(results) + ("," if len(results) == 1 else ""))
        return f"def {name}(x, y, v, w, s):\n" + "\n".join(self.lines) + "\n", (self.n, self.m)


def broadcast(a, b):
    out = []
    for k in range(max(len(a), len(b))):
        p = a[-1 - k] if k < len(a) else 1
        q = b[-1 - k] if k < len(b) else 1
        if p != q and p != 1 and q != 1:
            return None
        out.append(max(p, q))
    return tuple(reversed(out))


def program(seed, count):
    """A script that calls every function plainly and compiled (twice) and says which results differ in a bit."""
    parts = ["import numpy as np\nfrom autoray import autojit\n\n\ndef same(a, b):\n    a, b = np.asarray(a), np.asarray(b)\n"
             "    if a.dtype != b.dtype or a.shape != b.shape:\n        return False\n"
             "    return a.tobytes() == b.tobytes() or bool(np.array_equal(a, b, equal_nan=True))\n\n"
             "\ndef check(name, f, n, m, dtype):\n"
             "    r = np.random.default_rng(n * 1000 + m)\n"
             "    args = [r.standard_normal((n, m)), r.standard_normal((n, m)), r.standard_normal(m), r.standard_normal(n), 0.75]\n"
             "    args = [a.astype(dtype) if isinstance(a, np.ndarray) else a for a in args]\n"
             "    want = f(*args)\n    g = autojit(f)\n"
             "    for turn in range(2):\n"
             "        got = g(*args)\n"
             "        for k in range(len(want)):\n"
             "            if not same(want[k], got[k]):\n"
             "                print(name, 'result', k, 'differs', np.asarray(want[k]).dtype, np.asarray(got[k]).dtype, np.asarray(want[k]).shape)\n"
             "                print(np.asarray(want[k]).reshape(-1)[:6], np.asarray(got[k]).reshape(-1)[:6])\n\n"]
    for k in range(count):
        text, (n, m) = Maker(seed + k).text(f"f{seed + k}")
        dtype = "float32" if (seed + k) % 4 == 3 else "float64"
        parts.append("\n" + text + f"\n\ncheck('f{seed + k}', f{seed + k}, {n}, {m}, '{dtype}')\n")
    parts.append("print('done')\n")
    return "".join(parts)


if __name__ == "__main__":
    print(program(int(sys.argv[1]), int(sys.argv[2])), end="")
