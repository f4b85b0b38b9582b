"""Virtual machines under QEMU's software emulation: what they boot from, and what they say.

An initial file system holds the program, its shared libraries and busybox; a second one, for each
kernel, its modules and the work. A disk (ext4 on virtio-blk) holds the data, the compiler and what
was compiled beforehand."""

import dataclasses
import gzip
import lzma
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import grapnel_cli as cli  # noqa: E402
import systems  # noqa: E402

VERDICTS = cli.BUILD / "bin/kernel_verdicts"
HERE = Path(__file__).resolve().parent
BOOT_SECONDS = 1800
BOOT_ATTEMPTS = 3
# QEMU 7.2 emulates cmpxchg16b wrongly: an interrupt right behind it finds other flags, which ends
# a kernel that uses it for each allocation in a double fault. 6.12 does so, and can do without;
# newer kernels use it seldom, and without it refuse memory to BPF (kmalloc_nolock).
CPU_WITHOUT = {"6.12": "max,-cx16"}
DISK_MODULES = ("virtio_pci", "virtio_blk", "ext4")
# What tests of file systems need. Built in where there is no file.
OTHER_MODULES = ("xfs", "btrfs", "overlay", "fuse", "loop", "dm-mod", "dm-crypt", "xts", "null_blk")


_SBIN = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


@dataclasses.dataclass
class Guest:
    name: str       # row of the table
    folder: Path    # build/guests/...
    append: str = ""  # to the kernel's command line

    def package(self):
        return (self.folder / "package").read_text(encoding="utf-8").splitlines()[0]


def guests():
    """Each kernel that set-up has fetched, and one of them with full preemption."""
    found = [Guest(path.parent.name, path.parent)
             for path in sorted((cli.BUILD / "guests").glob("*/vmlinuz"))]
    found += [Guest(f"{guest.name} preempt=full", guest.folder, "preempt=full")
              for guest in found if guest.name == "6.12"]
    return found


def _libraries(program):
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+\.so\S*)", listing)]


def make_root(root):
    """The initial file system that all guests share."""
    for folder in ("bin", "proc", "sys", "dev", "tmp", "root"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    subprocess.run(["strip", "-o", root / "bin/grapnel", cli.PROGRAM], check=True)
    shutil.copy(VERDICTS, root / "bin")
    programs = [cli.PROGRAM, VERDICTS, *cli.BUILD.glob("libgrapnel-jit.so"),
                systems.add_to_root(root)]
    for library in {path for program in programs for path in _libraries(program)}:
        target = root / str(library).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library.resolve(), target)
    shutil.copy(HERE / "init", root / "init")
    (root / "init").chmod(0o755)


def keep_compiled(image, folder):
    """Takes out of a guest's disk what guests compiled, for the next run: /cache of the image."""
    subprocess.run(["debugfs", "-R", f"rdump /cache {folder}", image], check=True, env=_SBIN,
                   capture_output=True)


def make_disk(folder, image):
    """An ext4 file system with what lies in `folder`, and as much room again. Guests write to it:
    what one has compiled the next one finds."""
    (folder / "plugin").mkdir()
    for plugin in cli.BUILD.glob("libgrapnel-jit.so"):
        shutil.copy(plugin, folder / "plugin")
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", folder, image,
                    f"{(used >> 19) + 64}M"], check=True, env=_SBIN, stdout=subprocess.DEVNULL)


def pack(root, image):
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root,
                             input=names, capture_output=True, check=True).stdout
    image.write_bytes(gzip.compress(archive, 1))


class Modules:
    """The modules of a kernel that are files, found by name, with what they need first."""

    def __init__(self, folder):
        self.files = {path.name.split(".")[0].replace("-", "_"): path
                      for path in (folder / "modules").rglob("*.ko*")}

    def bytes(self, name):
        data = self.files[name].read_bytes()
        return lzma.decompress(data) if self.files[name].suffix == ".xz" else data

    def in_order(self, wanted, loaded=()):
        """Names in the order of loading; what is not a file is built in."""
        order = list(loaded)

        def add(name):
            name = name.replace("-", "_")
            if name in order or name not in self.files:
                return
            data = self.bytes(name)
            needed = re.findall(rb"(?:^|\0)depends=([^\0]*)\0", data)
            soft = re.findall(rb"\0softdep=pre: ([^\0]*)\0", data)
            for text in (*needed, *soft):
                for other in re.split(r"[, ]+", text.decode()):
                    add(other)
            order.append(name)

        for name in wanted:
            add(name)
        return order[len(loaded):]


def add_modules(folder, root):
    modules = Modules(folder)
    (root / "modules").mkdir()
    disk = modules.in_order(DISK_MODULES)
    rest = modules.in_order(OTHER_MODULES, disk)
    for name in disk + rest:
        (root / "modules" / name).write_bytes(modules.bytes(name))
    (root / "modules/disk").write_text("\n".join(disk) + "\n", encoding="ascii")
    (root / "modules/rest").write_text("\n".join(rest) + "\n", encoding="ascii")


@dataclasses.dataclass
class Said:
    code: int
    out: str
    err: str


def boot(guest, image, disks, log):
    """{name of a section: Said}; the whole text goes to `log`, too. Guests write to the first disk; what
    they write to the others is forgotten. The emulator loses a kernel now and then while it patches
    itself: one that dies before it has started our first program is started again."""
    for _ in range(BOOT_ATTEMPTS):
        said = _boot_once(guest, image, disks, log)
        if said:
            return said
        print(f"{guest.name}: the emulated kernel ended before it had started anything: once more",
              flush=True)
    return {}


def _boot_once(guest, image, disks, log):
    drives = [f"file={disk},format=raw,if=virtio,snapshot={'on' if number else 'off'}"
              for number, disk in enumerate(disks)]
    command = ["qemu-system-x86_64", "-accel", "tcg",
               "-cpu", CPU_WITHOUT.get(guest.folder.name, "max"), "-smp", "2", "-m", "2048",
               "-nographic", "-no-reboot", "-nic", "none", "-kernel", str(guest.folder / "vmlinuz"),
               "-initrd", str(image), *(word for drive in drives for word in ("-drive", drive)),
               "-append", f"console=ttyS0 quiet panic=-1 oops=panic {guest.append}"]
    with open(log, "wb") as output:
        try:
            subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, timeout=BOOT_SECONDS,
                           stdin=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired:
            pass  # what is missing shows as such
    text = log.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    return {name: Said(int(code), out, err) for name, out, code, err in re.findall(
        r"^<<<(\S+)\n(.*?)^===(\d+)\n(.*?)^>>>$", text, re.M | re.S)}
