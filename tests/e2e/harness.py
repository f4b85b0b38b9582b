"""A small test runner for the suites that are programs of their own.

    import sys; from pathlib import Path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
    from harness import case, cases, main, skip

    @case
    def empty_file_gives_zero(tmp):              # tmp: a directory of its own, removed afterwards
        ...assert...

    @cases(hook=["read", "pipe"], threads=[1, 2])     # every combination is one test
    def q6(tmp, hook, threads): ...

    if __name__ == "__main__":
        main()

main() takes parts of names as arguments (only matching tests run), prints how each one ended, once
more all failures with their reasons, since a log is read from its end, and, as the last line,
'N passed, N failed, N skipped'; the exit code is 1 if any failed or none ran.
skip("reason") leaves a test out; the reasons are listed, because a test that silently does not run
is worse than none.
"""

import itertools
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import grapnel_cli  # noqa: E402

_registered = []


class Skipped(Exception):
    pass


def skip(reason):
    raise Skipped(reason)


def case(function):
    _registered.append((function.__name__, function, {}))
    return function


def cases(**parameters):
    def register(function):
        for values in itertools.product(*parameters.values()):
            chosen = dict(zip(parameters, values))
            shown = ",".join(f"{key}={value}" for key, value in chosen.items())
            _registered.append((f"{function.__name__}[{shown}]", function, chosen))
        return function
    return register


def _run_one(function, parameters):
    tmp = Path(tempfile.mkdtemp(prefix="grapnel-test-", dir=_scratch()))
    try:
        function(tmp, **parameters)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def _scratch():
    """On the disk of the build, not in /tmp: tmpfs has neither O_DIRECT nor a device."""
    path = grapnel_cli.BUILD / "test-tmp"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _shortened(reason, most=4000):
    """A wrong answer may be long; its beginning and its end say enough."""
    if len(reason) <= most:
        return reason
    return f"{reason[:most // 2]}\n... ({len(reason) - most} characters) ...\n{reason[-most // 2:]}"


def main(argv=None):
    # Shells start jobs in the background with SIGINT ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = sys.argv[1:] if argv is None else argv
    tests = [test for test in _registered
             if not wanted or any(part in test[0] for part in wanted)]
    passed, failed, skipped = 0, {}, Counter()
    if not grapnel_cli.PROGRAM.exists():
        print(f"{grapnel_cli.PROGRAM} is missing: ./dev build")
        print(f"0 passed, {max(1, len(tests))} failed, 0 skipped")
        sys.exit(1)
    for number, (name, function, parameters) in enumerate(tests, 1):
        start = time.monotonic()
        try:
            _run_one(function, parameters)
            passed += 1
            verdict = "ok"
        except Skipped as reason:
            skipped[str(reason)] += 1
            verdict = f"skipped: {reason}"
        except Exception:  # a test may fail with anything
            failed[name] = traceback.format_exc()
            verdict = "FAILED"
        print(f"[{number}/{len(tests)}] {name} {time.monotonic() - start:.2f} s {verdict}",
              flush=True)
    for reason, count in skipped.items():
        print(f"skipped {count}: {reason}")
    for name, reason in failed.items():
        print(f"FAILED {name}\n{_shortened(reason)}")
    print(f"{passed} passed, {len(failed)} failed, {sum(skipped.values())} skipped")
    sys.exit(1 if failed or not tests else 0)
