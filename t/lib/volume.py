"""Small file systems to be filled, frozen and cut off.  They need root.

    with Tmpfs(lab, "16m") as v:          v.path is the mount
        v.fill(); v.free()                no byte is left; all are there again
        v.fill_inodes(); v.free_inodes()
    v = Ext4(lab, 64)                     an image on a loop device
        v.cut()                           as if the power went
        w = v.copy()                      what the disk held then
"""

import array
import errno
import fcntl
import os
import subprocess

import lab


class Impossible(Exception):
    """this machine does not let us"""


def run(*cmd):
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode:
        raise Impossible("%s: %s" % (" ".join(cmd[:2]), p.stdout.decode()
                                     .strip()[-200:]))
    return p.stdout.decode().strip()


def missing(thing):
    """why nothing can be mounted here, or None"""
    if os.geteuid():
        return "only root can mount a file system"
    try:
        Tmpfs(thing, "1m", "probe").drop()
    except Impossible as e:
        return str(e)
    return None


class Volume:
    mounted = False

    def __init__(self, thing, name):
        self.lab = thing
        self.path = "%s/%s" % (thing.dir, name)
        os.makedirs(self.path, exist_ok=True)
        thing.later(self.drop)

    def drop(self):
        """also while it is in use"""
        if self.mounted:
            subprocess.run(["umount", "-l", self.path],
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            self.mounted = False

    def unmount(self):
        try:
            lab.until(lambda: subprocess.run(
                ["umount", self.path], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL).returncode == 0, "umount", 2)
            self.mounted = False
        except lab.Vain:
            self.drop()

    def storage(self):
        """a directory on it for the workers"""
        d = self.path + "/storage"
        if not os.path.isdir(d):
            os.mkdir(d)
            lab.chown(d, "nobody")
        return d


class Tmpfs(Volume):
    def __init__(self, thing, size, name="tmpfs"):
        super().__init__(thing, name)
        run("mount", "-t", "tmpfs", "-o", "size=%s,mode=755" % size, "tmpfs",
            self.path)
        self.mounted = True
        self.filler = self.path + "/filler"

    def fill(self, leave=0):
        """takes all that is free but for "leave" bytes"""
        fd = os.open(self.filler, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            at = os.fstat(fd).st_size
            step = 1 << 22
            while step >= 4096:
                s = os.statvfs(self.path)
                if leave and s.f_bavail * s.f_frsize - step < leave:
                    step //= 2
                    continue
                try:
                    os.posix_fallocate(fd, at, step)
                    at += step
                except OSError as e:
                    if e.errno != errno.ENOSPC:
                        raise
                    step //= 2
        finally:
            os.close(fd)

    def free(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)

    def fill_inodes(self):
        for more in range(0, 20):              # others make files meanwhile
            s = os.statvfs(self.path)
            try:
                run("mount", "-o", "remount,nr_inodes=%d"
                    % (s.f_files - s.f_ffree + more // 4), self.path)
                return
            except Impossible:
                if more == 19:
                    raise

    def free_inodes(self):
        run("mount", "-o", "remount,nr_inodes=1000000", self.path)

    def read_only(self, on):
        """not while files are open for writing"""
        run("mount", "-o", "remount,%s" % ("ro" if on else "rw"), self.path)


class Ext4(Volume):
    SHUTDOWN = 0x8004587d              # EXT4_IOC_SHUTDOWN, as FS_IOC_SHUTDOWN
    NO_LOG_FLUSH = 2

    def __init__(self, thing, image, name, megabytes=0):
        """makes the image when "megabytes" is given"""
        super().__init__(thing, name)
        self.image = image
        if megabytes:
            with open(image, "wb") as f:
                f.truncate(megabytes << 20)
            run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", image)
        run("mount", "-o", "loop", image, self.path)
        self.mounted = True

    def cut(self):
        """nothing more gets to the disk, its journal neither"""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, self.SHUTDOWN,
                        array.array("I", [self.NO_LOG_FLUSH]))
        finally:
            os.close(fd)

    def copy(self, image):
        """before it is unmounted, which would write more back"""
        run("cp", "--sparse=always", self.image, image)
