"""A server and a client on one machine, joined by a link with a rate and a delay of its own.

Two network namespaces. The rate is a token bucket (tc tbf) at each end, the delay a program of ours
(link.cpp), since not every kernel has netem. Needs root."""

import ctypes
import os
import signal
import socket
import statistics
import subprocess
import threading
import time

SERVER_ADDRESS, CLIENT_ADDRESS = "10.99.0.2", "10.99.0.1"
DEVICE = "link0"
SERVER_CPUS, CLIENT_CPUS, LINK_CPUS = "0-1", "1", "0"
CLONE_NEWNET = 0x40000000


def _command(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"'{' '.join(map(str, words))}' failed: {done.stderr.strip()}")
    return done.stdout


def enter(name_space):
    """Moves the calling thread, and the processes that it starts from now on, into the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{name_space}", "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {name_space}")


class Link:
    """The two namespaces and what joins them, for the length of a with-block."""

    def __init__(self, program, bytes_per_second, rtt_seconds):
        self.program, self.rate, self.rtt = program, bytes_per_second, rtt_seconds
        self.server = f"grapnel-server-{os.getpid()}"
        self.client = f"grapnel-client-{os.getpid()}"
        self.process = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise RuntimeError("network namespaces need root")
        try:
            for name_space in (self.server, self.client):
                _command("ip", "netns", "add", name_space)
            # It must never wait for a CPU, or the delay would be longer than asked for.
            self.process = subprocess.Popen(
                ["chrt", "-f", "10", "taskset", "-c", LINK_CPUS, str(self.program), self.server,
                 self.client, str(int(self.rtt * 1e6 / 2))], stdout=subprocess.PIPE, text=True)
            if self.process.stdout.readline() != "ready\n":
                raise RuntimeError("the link did not come up")
            self._end(self.server, SERVER_ADDRESS, CLIENT_ADDRESS)
            self._end(self.client, CLIENT_ADDRESS, SERVER_ADDRESS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _end(self, name_space, address, peer):
        _command("ip", "-n", name_space, "link", "set", "lo", "up")
        _command("ip", "-n", name_space, "addr", "add", address, "peer", peer, "dev", DEVICE)
        _command("ip", "-n", name_space, "link", "set", "dev", DEVICE, "txqueuelen", 10000, "up")
        _command("tc", "-n", name_space, "qdisc", "replace", "dev", DEVICE, "root", "tbf",
                 "rate", f"{int(self.rate * 8)}bit", "burst", "2mb", "limit", "64mb")
        # A window of rate x RTT must fit, or the window and not the link would be measured.
        for name in ("tcp_rmem", "tcp_wmem"):
            _command("ip", "netns", "exec", name_space, "sysctl", "-qw",
                     f"net.ipv4.{name}=4096 1048576 67108864")
        _command("ip", "netns", "exec", name_space, "sysctl", "-qw",
                 "net.ipv4.tcp_slow_start_after_idle=0")

    def in_server(self, *words):
        """The command line that runs `words` at the server."""
        return ["ip", "netns", "exec", self.server, "taskset", "-c", SERVER_CPUS, *map(str, words)]

    @staticmethod
    def in_client(*words):
        """The same at the client, for a process that is in its namespace already."""
        return ["taskset", "-c", CLIENT_CPUS, *map(str, words)]

    def measure(self):
        """{"bytes_per_second", "rtt_seconds"} of the empty link. Called in the client's namespace."""
        ready = threading.Event()
        address = (SERVER_ADDRESS, 7001)

        def serve():
            enter(self.server)
            with socket.create_server(address) as listener:
                ready.set()
                for _ in range(2):
                    connection = listener.accept()[0]
                    with connection:
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        while True:
                            asked = connection.recv(1)
                            if not asked:
                                break
                            connection.sendall(asked if asked == b"p" else bytes(1 << 20))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        ready.wait(10)
        with socket.create_connection(address) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            times = []
            for _ in range(20):
                start = time.perf_counter()
                connection.sendall(b"p")
                connection.recv(1)
                times.append(time.perf_counter() - start)
        with socket.create_connection(address) as connection:
            blocks, buffer, got = 1024, bytearray(1 << 20), 0
            connection.sendall(b"d" * 64)
            asked, start = 64, None
            while got < blocks << 20:
                got += connection.recv_into(buffer)
                if start is None and got >= 128 << 20:  # the window has opened
                    start, counted = time.perf_counter(), got
                while asked < blocks and asked - (got >> 20) < 64:
                    connection.sendall(b"d")
                    asked += 1
            seconds = time.perf_counter() - start
        return {"bytes_per_second": (got - counted) / seconds,
                "rtt_seconds": statistics.median(times)}

    def cpu_seconds(self):
        """Of the program that delays packets."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_):
        said = ""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            said = self.process.communicate()[0]
        for name_space in (self.server, self.client):
            subprocess.run(["ip", "netns", "del", name_space], capture_output=True, check=False)
        self.said = said.strip()
