"""End to end: the program as a person uses it. The tests lie in the *_cases.py files beside this."""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import harness  # noqa: E402

if __name__ == "__main__":
    for path in sorted(HERE.glob("*_cases.py")):
        importlib.import_module(path.stem)
    harness.main()
