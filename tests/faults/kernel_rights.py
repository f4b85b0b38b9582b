"""What this process may do in the kernel."""

from pathlib import Path

CAP_SYS_ADMIN = 21
CAP_BPF = 39


def has_kernel_rights():
    """Without these there are no hooks in the kernel, and nothing is wrong with that."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            capabilities = int(line.split()[1], 16)
            return bool(capabilities >> CAP_SYS_ADMIN & 1 or capabilities >> CAP_BPF & 1)
    return False
