"""File systems and block devices for guests that most machines cannot set up: partitions of a second
disk, with what is written there before they boot, and a script that mounts them under /systems."""

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

MIB = 1 << 20
SECTOR = 512
_SBIN = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
_EXT4_MIB = 32

# Where each one keeps the file.
FILES = {"ext4 on a partition": "/systems/partition/lineitem.tbl",
         "ext4 on dm-linear": "/systems/linear/lineitem.tbl",
         "ext4 on dm-crypt": "/systems/crypt/lineitem.tbl",
         "xfs": "/systems/xfs/lineitem.tbl",
         "btrfs": "/systems/btrfs/lineitem.tbl",
         "btrfs, compressed": "/systems/btrfs/compressed.tbl"}
STATES = ("cold", "cached")

# The two halves of the second partition are exchanged. Nodes appear under the kernel's own names.
_SCRIPT = f"""set -e
cd /systems
mkdir partition linear crypt xfs btrfs
half={_EXT4_MIB * MIB // SECTOR // 2}
printf "0 $half linear /dev/vdb2 $half\\n$half $half linear /dev/vdb2 0\\n" |
  dmsetup create --noudevsync linear
echo "0 $((2 * half)) crypt aes-xts-plain64 {'5a' * 64} 0 /dev/vdb3 0" |
  dmsetup create --noudevsync crypt
dd if=/dev/vdb1 of=/dev/dm-1 bs=1048576 2>/dev/null
mount -t ext4 /dev/vdb1 partition
mount -t ext4 /dev/dm-0 linear
mount -t ext4 /dev/dm-1 crypt
mount -t xfs /dev/vdb4 xfs
mount -t btrfs -o compress-force=zstd /dev/vdb5 btrfs
cp btrfs/lineitem.tbl btrfs/compressed.tbl
sync
"""


def statements(one):
    """The same question, a statement for each file system, under whose name it goes."""
    return [dataclasses.replace(one, name=name, file=path, sql=one.sql.replace(one.file, path))
            for name, path in FILES.items()]


def _run(*command):
    subprocess.run([str(part) for part in command], check=True, env=_SBIN, capture_output=True)


def _ext4(content, image):
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", content, image)


def _ext4_exchanged(content, image):
    _ext4(content, image)
    data = image.read_bytes()
    half = len(data) // 2
    image.write_bytes(data[half:] + data[:half])


def _nothing(content, image):
    """The guest writes it."""


def _xfs(content, image):
    listing = image.with_suffix(".list")
    listing.write_text("/none\n0 0\nd--755 0 0\n" + "".join(
        f"{path.name} ---644 0 0 {path}\n" for path in sorted(content.iterdir())) + "$\n",
        encoding="utf-8")
    _run("mkfs.xfs", "-q", "-p", listing, image)


def _btrfs(content, image):
    _run("mkfs.btrfs", "-q", "--rootdir", content, image)


_PARTITIONS = ((_EXT4_MIB, _ext4), (_EXT4_MIB, _ext4_exchanged), (_EXT4_MIB, _nothing), (320, _xfs),
               (160, _btrfs))


def _put(image, disk, offset):
    """Copies what is not zero."""
    with open(image, "rb") as source, open(disk, "r+b") as target:
        while chunk := source.read(MIB):
            if chunk.strip(b"\0"):
                target.seek(offset)
                target.write(chunk)
            offset += len(chunk)


def make_disk(file, work, disk):
    """A disk whose partitions hold `file`. `work`: an empty folder, used meanwhile."""
    content = work / "content"
    content.mkdir()
    shutil.copy(file, content)
    starts, end = [], 1
    for size, _ in _PARTITIONS:
        starts.append(end)
        end += size
    with open(disk, "wb") as made:
        made.truncate((end + 1) * MIB)
    per_mib = MIB // SECTOR
    lines = [f"start={start * per_mib}, size={size * per_mib}\n"
             for start, (size, _) in zip(starts, _PARTITIONS)]
    subprocess.run(["sfdisk", "-q", str(disk)], input="label: gpt\n" + "".join(lines), text=True,
                   check=True, env=_SBIN, capture_output=True)
    for number, (start, (size, make)) in enumerate(zip(starts, _PARTITIONS)):
        image = work / f"part{number}"
        with open(image, "wb") as made:
            made.truncate(size * MIB)
        make(content, image)
        _put(image, disk, start * MIB)
        image.unlink()


def add_to_root(root):
    """What a guest needs to set them up."""
    (root / "systems").mkdir()
    (root / "set-up-systems").write_text(_SCRIPT, encoding="ascii")
    program = shutil.which("dmsetup", path=_SBIN["PATH"])
    shutil.copy(program, root / "bin/dmsetup")
    return Path(program)
