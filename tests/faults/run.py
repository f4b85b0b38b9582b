#!/usr/bin/env python3
"""What can go wrong while a query runs, and what must then happen."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import main  # noqa: E402

import file_cases  # noqa: E402, F401
import limit_cases  # noqa: E402, F401
import rights_cases  # noqa: E402, F401

if __name__ == "__main__":
    main()
