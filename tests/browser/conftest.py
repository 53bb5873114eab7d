import pathlib
import sys

# The tests' shared helpers stand one folder up.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
