"""The ways to an answer that the scenario compares: ship the file, run tools at the server, or ask
grapnel. Each way's run(case) gives a Run."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "tools")]

import grapnel_cli as cli  # noqa: E402
import network  # noqa: E402

GRAPNEL_PORT, HTTP_PORT = 31337, 8080
SHIP_TOOLS = {"fixed": "numpy", "lines": "ripgrep-pipe", "q6": "duckdb", "q1": "duckdb",
              "filter": "duckdb"}
SERVER_TOOLS = {"fixed": ["numpy"], "lines": ["ripgrep", "mawk", "chdb"],
                "q6": ["duckdb", "chdb", "polars", "datafusion", "mawk"],
                "q1": ["duckdb", "chdb", "polars", "datafusion"], "filter": []}
NGINX = """
daemon off; worker_processes 1; error_log stderr warn; pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; sendfile_max_chunk 2m; default_type text/plain;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen {address}:{port}; root {root}; }}
}}
"""


@dataclasses.dataclass
class Run:
    seconds: float = 0.0
    answer: list = None       # rows of text
    reason: str = ""          # why there is no answer
    hook: str = ""            # that grapnel took


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def peer(arguments):
    done = subprocess.run([*arguments], capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr[-800:]}")
    said = last_json(done.stdout)
    return Run(said["seconds"], said["answer"])


class Ship:
    """nginx sends the file with sendfile; curl hands it to the best tool for it while it arrives."""
    name = "ship"

    def __init__(self, python):
        self.python = python

    def run(self, case, link):
        url = f"http://{network.SERVER_ADDRESS}:{HTTP_PORT}/{case.path.relative_to(cli.DATA)}"
        most = case.sql.rsplit(" ", 1)[1] if case.kind == "filter" else "0"
        return peer(link.in_client(self.python, HERE / "peers.py", SHIP_TOOLS[case.kind], case.kind,
                                   case.path, "--url", url, "--threads", 2, "--most", most))


class ServerTool:
    """A tool at the server, as by a remote shell that is open already: its time and one round trip."""

    def __init__(self, engine, python):
        self.name, self.engine, self.python = engine, engine, python

    def run(self, case, link):
        run = peer(link.in_server(self.python, HERE / "peers.py", self.engine, case.kind, case.path,
                                  "--threads", 2))
        run.seconds += link.rtt
        return run


class Grapnel:
    """The command line at the client, from its start to its end."""

    def __init__(self, hook):
        self.hook, self.name = hook, f"grapnel {hook or 'choice'}"

    def run(self, case, link):
        command = [str(cli.PROGRAM), "query", "--on", f"{network.SERVER_ADDRESS}:{GRAPNEL_PORT}",
                   "--format", "csv", "--stats", "json", "--threads", "2"]
        if self.hook:
            command += ["--hook", self.hook]
        command.append(case.statement(case.path.relative_to(cli.DATA)))
        with tempfile.TemporaryFile("w+") as errors:
            start = time.perf_counter()
            process = subprocess.Popen(link.in_client(*command), stdout=subprocess.PIPE,
                                       stderr=errors, text=True)
            if case.kind == "filter":
                counted = subprocess.run(link.in_client("wc", "-l"), stdin=process.stdout,
                                         capture_output=True, text=True, check=True).stdout
                process.stdout.close()
                rows = [[str(int(counted) - 1)]]
            else:
                rows = [line.split(",") for line in process.stdout.read().splitlines()[1:]]
            code = process.wait()
            seconds = time.perf_counter() - start
            errors.seek(0)
            said = errors.read()
        if code == cli.EXIT["hook cannot"]:
            return Run(reason=said.strip().splitlines()[0].removeprefix("grapnel: "))
        if code != 0:
            raise RuntimeError(f"{' '.join(command)}: {said[-800:]}")
        return Run(seconds, rows, hook=cli.find_stats(said).get("hook", ""))


class Services:
    """nginx and a grapnel server at the server's end, for the length of a with-block."""

    def __init__(self, link, nginx):
        self.link, self.nginx, self.processes = link, nginx, []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        folder.chmod(0o755)
        settings = folder / "nginx.conf"
        settings.write_text(NGINX.format(folder=folder, address=network.SERVER_ADDRESS,
                                         port=HTTP_PORT, root=cli.DATA.resolve()), encoding="utf-8")
        self._start(folder / "nginx.log", self.nginx, "-p", folder, "-c", settings, "-g",
                    "user root;")
        self.server = self._start(folder / "grapnel.log", cli.PROGRAM, "serve", "--root", cli.DATA,
                                  "--listen", f"{network.SERVER_ADDRESS}:{GRAPNEL_PORT}",
                                  "--insecure")
        for port in (HTTP_PORT, GRAPNEL_PORT):
            self._wait_for(port)
        return self

    def _start(self, log, *command):
        with open(log, "w", encoding="utf-8") as file:
            process = subprocess.Popen(self.link.in_server(*command), stdin=subprocess.DEVNULL,
                                       stdout=file, stderr=file)
        process.log = log
        self.processes.append(process)
        return process

    def _wait_for(self, port):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args}: {process.log.read_text()[-800:]}")
            try:
                socket.create_connection((network.SERVER_ADDRESS, port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"nothing listens on port {port} after 20 s")

    def measure_link(self):
        """What the client's grapnel knows of the link from then on."""
        subprocess.run(self.link.in_client(cli.PROGRAM, "calibrate", "--on",
                                           f"{network.SERVER_ADDRESS}:{GRAPNEL_PORT}"),
                       check=True, stdout=subprocess.DEVNULL)

    def server_cpu_seconds(self):
        with open(f"/proc/{self.server.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.folder.cleanup()
