"""Processes that are started again when they end, as whoever runs Iris does, and a volume that can be filled."""
import ctypes
import os
import signal
import subprocess
import threading
import time


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Kept:
    """Started again 0.3 s after every end but one that was asked for by `finish`."""

    def __init__(self, name, arguments, log):
        self.name, self.arguments, self.log = name, arguments, log
        self.kills = 0
        self.ends = []  # exit codes of ends that nobody asked for
        self.finishing = threading.Event()
        self.killed = False
        self.process = self.start()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def start(self):
        with open(self.log, "ab") as log:
            return subprocess.Popen(self.arguments, stdout=log, stderr=log, preexec_fn=end_with_parent)

    def watch(self):
        while True:
            code = self.process.wait()
            if self.finishing.is_set():
                return
            if not self.killed:
                self.ends.append(code)
                with open(self.log, "a", encoding="ascii") as log:
                    print(f"{self.name} ended by itself: {code}", file=log)
            time.sleep(0.3)
            self.killed = False
            self.process = self.start()

    def kill(self):
        self.kills += 1
        self.killed = True
        self.process.kill()

    def ask_to_end(self):
        self.finishing.set()
        self.process.terminate()

    def await_end(self, patience):
        """The exit code, or None when it had to be killed."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()


class Volume:
    def __init__(self, path, mebibytes):
        self.path, self.ballast = path, path + "/ballast"
        os.makedirs(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "iris-soak", path], check=True)

    def free(self):
        volume = os.statvfs(self.path)
        return volume.f_bavail * volume.f_frsize

    def fill(self, leave=0):
        """All but `leave` bytes; to the very brim without."""
        with open(self.ballast, "wb") as ballast:
            while (room := self.free() - leave) > 0:
                try:
                    os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, room)
                except OSError:
                    continue  # somebody else took some

    def empty(self):
        os.unlink(self.ballast)

    def remove(self):
        subprocess.run(["umount", self.path], check=True)


def until(what, condition, patience):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {patience} s")
        time.sleep(0.05)
