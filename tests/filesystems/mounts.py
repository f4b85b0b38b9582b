"""File systems made for a test: each in an image of its own, mounted, unmounted and removed at the end."""

import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

IMAGE_BYTES = 384 << 20  # xfs wants more than 300 MiB; the image is sparse


class CannotMount(Exception):
    """This machine has not what the file system needs; the text says what."""


def _run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotMount(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout.strip()


def _image(directory):
    path = directory / "image"
    with open(path, "wb") as file:
        file.truncate(IMAGE_BYTES)
    return path


@contextlib.contextmanager
def _mounted(directory, source, kind, options=""):
    target = directory / "mounted"
    target.mkdir(exist_ok=True)
    _run("mount", "-t", kind, *(["-o", options] if options else []), source, target)
    try:
        yield target
    finally:
        _run("umount", target)


def _made_by(*mkfs, kind, options="loop"):
    @contextlib.contextmanager
    def make(directory):
        image = _image(directory)
        _run(*mkfs, image)
        with _mounted(directory, image, kind, options) as target:
            yield target
    return make


@contextlib.contextmanager
def _tmpfs(directory):
    with _mounted(directory, "none", "tmpfs", "size=64m") as target:
        yield target


@contextlib.contextmanager
def _overlayfs(directory):
    """The file lies in the lower layer: stat shows another device and inode than the page cache has."""
    with _made_by("mkfs.ext4", "-q", kind="ext4")(directory) as lower:
        layers = [lower / name for name in ("lower", "upper", "work", "merged")]
        for layer in layers:
            layer.mkdir()
        _run("mount", "-t", "overlay", "-o",
             f"lowerdir={layers[0]},upperdir={layers[1]},workdir={layers[2]}", "none", layers[3])
        try:
            yield layers[3], layers[0]
        finally:
            _run("umount", layers[3])


@contextlib.contextmanager
def _fuse(directory):
    image = _image(directory)
    _run("mkfs.ext4", "-q", image)
    target = directory / "mounted"
    target.mkdir()
    _run("fuse2fs", image, target, "-o", "fakeroot,allow_other")
    try:
        yield target
    finally:
        _run("umount", target)


@contextlib.contextmanager
def _partition(directory):
    image = _image(directory)
    subprocess.run(["sfdisk", "-q", str(image)], input="start=2048, type=83\n", text=True, check=True,
                   capture_output=True)
    device = _run("losetup", "--find", "--show", "--partscan", image)
    try:
        if not Path(device + "p1").exists():
            raise CannotMount("this kernel reads no partition tables: " +
                              _run("sh", "-c", "zcat /proc/config.gz | grep MSDOS_PARTITION || true"))
        _run("mkfs.ext4", "-q", device + "p1")
        with _mounted(directory, device + "p1", "ext4") as target:
            yield target
    finally:
        _run("losetup", "--detach", device)


# linux/fscrypt.h
_ADD_KEY = 3 << 30 | 80 << 16 | ord("f") << 8 | 23
_SET_POLICY = 2 << 30 | 12 << 16 | ord("f") << 8 | 19
_KEY_BY_IDENTIFIER, _AES_256_XTS, _AES_256_CTS, _PAD_32 = 2, 1, 4, 3


@contextlib.contextmanager
def _fscrypt(directory):
    with _made_by("mkfs.ext4", "-q", "-O", "encrypt", kind="ext4")(directory) as target:
        secret = target / "secret"
        secret.mkdir()
        fd = os.open(secret, os.O_RDONLY)
        try:
            argument = bytearray(struct.pack("<II32sII32s", _KEY_BY_IDENTIFIER, 0, b"", 64, 0, b"")
                                 + os.urandom(64))
            fcntl.ioctl(fd, _ADD_KEY, argument)
            identifier = bytes(argument[8:24])
            fcntl.ioctl(fd, _SET_POLICY, struct.pack("<BBBB4s16s", 2, _AES_256_XTS, _AES_256_CTS,
                                                     _PAD_32, b"", identifier))
        except OSError as error:
            raise CannotMount(f"fscrypt: {error}") from error
        finally:
            os.close(fd)
        yield secret


# Name: a function that takes an empty directory and gives a context: where files are read, or (where
# they are read, where they are written before).
KINDS = {
    "ext4": _made_by("mkfs.ext4", "-q", "-b", "4096", kind="ext4"),
    "ext4, blocks of 1 KiB": _made_by("mkfs.ext4", "-q", "-b", "1024", kind="ext4"),
    "ext4, inline data": _made_by("mkfs.ext4", "-q", "-I", "1024", "-O", "inline_data", kind="ext4"),
    "ext4, fscrypt": _fscrypt,
    "ext4 on a partition": _partition,
    "xfs": _made_by("mkfs.xfs", "-q", kind="xfs"),
    "btrfs": _made_by("mkfs.btrfs", "-q", kind="btrfs"),
    "btrfs, compressed": _made_by("mkfs.btrfs", "-q", kind="btrfs", options="loop,compress-force=zstd"),
    "tmpfs": _tmpfs,
    "overlayfs": _overlayfs,
    "fuse": _fuse,
}


@contextlib.contextmanager
def mounted(kind, directory):
    directory = Path(directory) / kind.replace(" ", "-").replace(",", "")
    directory.mkdir(parents=True)
    try:
        with KINDS[kind](directory) as where:
            yield where if isinstance(where, tuple) else (where, where)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def may_mount():
    """Empty, or why this process cannot mount anything at all."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0:
        return "mounting needs root"
    if libc.unshare(0x00020000) != 0:  # CLONE_NEWNS: our mounts are ours alone, and end with us
        return f"unshare: {os.strerror(ctypes.get_errno())}"
    done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True)
    return done.stderr.strip()
