"""A chain of 200 random transpose, reshape, tensordot and matmul steps over tensors of 2 to 64 elements: ours, autoray on numpy,
jax.jit and torch.compile, on one text."""
import random
import tempfile

import numpy as np

from measure import PEERS, ROUNDS, SEED, Script, medians, timing

STEPS = 200
SIZES = range(2, 65)
DIMENSIONS = (2, 3, 4, 6, 8)


class Chain:
    """The steps as lines of a function of the chain's tensor and of matrices that many steps share."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.matrices = {}  # shape -> parameter
        self.shape = (4, 4)
        self.steps = []  # (op, arguments as text)
        while len(self.steps) < STEPS:
            getattr(self, self.random.choice(("transpose", "reshape", "tensordot", "matmul")))()

    def parameters(self):
        return ["x", *self.matrices.values()]

    def size(self):
        return int(np.prod(self.shape))

    def matrix(self, rows, columns):
        return self.matrices.setdefault((rows, columns), f"m{rows}{columns}")

    def transpose(self):
        if len(self.shape) < 2:
            return
        order = list(range(len(self.shape)))
        self.random.shuffle(order)
        self.shape = tuple(self.shape[k] for k in order)
        self.steps.append(("transpose", f"x, {tuple(order)}"))

    def reshape(self):
        left, shape = self.size(), []
        while left > 1:
            factors = [k for k in DIMENSIONS if left % k == 0 and (left // k == 1 or any(left // k % d == 0 for d in DIMENSIONS))]
            shape.append(self.random.choice(factors))
            left //= shape[-1]
        self.shape = tuple(shape)
        self.steps.append(("reshape", f"x, {self.shape}"))

    def tensordot(self):
        axis = self.random.randrange(len(self.shape))
        old, new, side = self.shape[axis], self.random.choice(DIMENSIONS), self.random.randrange(2)
        if self.size() // old * new not in SIZES:
            return
        matrix = self.matrix(*((old, new) if side == 0 else (new, old)))
        self.shape = self.shape[:axis] + self.shape[axis + 1:] + (new,)
        self.steps.append(("tensordot", f"x, {matrix}, ([{axis}], [{side}])"))

    def matmul(self):
        if len(self.shape) != 2:
            return
        (rows, columns), new = self.shape, self.random.choice(DIMENSIONS)
        if self.random.randrange(2):
            if rows * new in SIZES:
                self.steps.append(("matmul", f"x, {self.matrix(columns, new)}"))
                self.shape = (rows, new)
        elif new * columns in SIZES:
            self.steps.append(("matmul", f"{self.matrix(new, rows)}, x"))
            self.shape = (new, columns)

    def text(self, step):
        """The function, each of its steps written by `step(op, arguments)`, and its operands."""
        lines = [f"def compute({', '.join(self.parameters())}):"]
        lines += [f"    x = {step(*s)}" for s in self.steps]
        shapes = [(4, 4), *self.matrices]
        lines += ["    return x", "", "", "rng = np.random.default_rng(1)",
                  f"operands = [rng.standard_normal(s) / np.sqrt(s[0]) for s in {shapes}]", ""]
        return "import sys\nimport numpy as np\n" + timing(*self.parameters()) + "\n\n" + "\n".join(lines)


def by_autoray(op, arguments):
    return f"do('{op}', {arguments})"


def by_torch(op, arguments):
    return f"torch.{'permute' if op == 'transpose' else op}({arguments})"


OURS = '''
f = autojit(compute)
np.save(sys.argv[1], f(*operands))
print(seconds_of_call(f, *operands))
'''
NUMPYS = '''
np.save(sys.argv[1], compute(*operands))
print(seconds_of_call(compute, *operands))
'''
JAXS = '''
import jax
f = jax.jit(compute)
operands = [jax.numpy.asarray(x) for x in operands]
np.save(sys.argv[1], f(*operands))
print(seconds_of_call(lambda *given: f(*given).block_until_ready(), *operands))
'''
TORCHS = '''
torch.set_num_threads(1)
torch.set_grad_enabled(False)
f = torch.compile(compute)
operands = [torch.from_numpy(x) for x in operands]
np.save(sys.argv[1], f(*operands).numpy())
print(seconds_of_call(f, *operands))
'''


def chain():
    steps = Chain(SEED)
    shared = "from autoray import do, autojit\n" + steps.text(by_autoray)
    scripts = {"ours": Script(shared + OURS), "autoray + numpy": Script(shared + NUMPYS), "jax.jit": Script(shared + JAXS),
               "torch.compile": Script("import torch\n" + steps.text(by_torch) + TORCHS)}
    with tempfile.NamedTemporaryFile(suffix=".npy") as result:
        def measured(name):
            script = scripts[name]
            return float(script.autoray("--", result.name) if name == "ours" else script.python(result.name, interpreter=PEERS))

        t, values = {}, {}
        for name in scripts:
            t[name] = measured(name)
            values[name] = np.load(result.name)
        want = values["autoray + numpy"]
        for name, x in values.items():
            if x.shape != want.shape or not np.allclose(x, want, rtol=1e-9, atol=1e-9 * np.abs(want).max()):
                raise RuntimeError(f"chain, seed {SEED}: {name} and numpy differ")
        # The compilers need seconds to minutes before their first call: one process has to do for each of them.
        ours, theirs, ratio = medians([(measured("ours"), measured("autoray + numpy")) for _ in range(ROUNDS)])
    best = min(("jax.jit", "torch.compile"), key=t.get)
    yield ("native chain: 200 small steps, of autoray + numpy", ratio, ours, theirs, f"{1 / ratio:.0f} times as fast; seed {SEED}")
    yield ("native chain: 200 small steps, of the best compiler", ours / t[best], ours, t[best],
           "; ".join(f"{name}: {t[name] * 1e6:.0f} us" for name in ("jax.jit", "torch.compile")))
