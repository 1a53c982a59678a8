#!/usr/bin/env python3
"""What iris-cloud's commands do to files and to a process that runs. Usage: cloud_commands_test.py IRIS_CLOUD"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

program = os.path.abspath(sys.argv[1])
os.umask(0o022)
faults = []


def check(good, what):
    if not good:
        faults.append(what)
        print("FAULT:", what)


def run(*arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout + done.stderr


def mode(path):
    return os.stat(path).st_mode & 0o7777


def readable_by_others(folder):
    return [os.path.join(at, name) for at, folders, files in os.walk(folder)
            for name in folders + files if mode(os.path.join(at, name)) & 0o077]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make(place, name, existing_mode=None):
    data = os.path.join(place, name)
    if existing_mode is not None:
        os.mkdir(data)
        os.chmod(data, existing_mode)
    code, text = run("init", "--data", data, "--listen", f"127.0.0.1:{free_port()}")
    check(code == 0, f"init: {text}")
    return data


def directories_keep_their_mode(place):
    data = make(place, "kept", 0o755)
    check(mode(data) == 0o755, f"init changed the mode of a directory that was there to {mode(data):o}")
    check(readable_by_others(data) == [], f"init made files for everybody: {readable_by_others(data)}")
    data = make(place, "made")
    check(mode(data) == 0o700, f"init made a directory of mode {mode(data):o}")
    out = os.path.join(place, "shared")
    os.mkdir(out)
    os.chmod(out, 0o1777)
    code, text = run("operators", "add", "tim", "--out", out, "--data", data)
    check(code == 0, f"operators add: {text}")
    check(mode(out) == 0o1777, f"operators add changed the mode of its directory to {mode(out):o}")
    check(mode(out + "/key.pem") == 0o600, "the operator's key can be read by others")
    code, text = run("operators", "add", "tom", "--out", place + "/fresh", "--data", data)
    check(code == 0 and mode(place + "/fresh") == 0o700, f"operators add made no directory of his own: {text}")
    return data


def backups_are_private(place, data):
    kept = os.path.join(place, "backup")
    code, text = run("backup", kept, "--data", data)
    check(code == 0 and mode(kept) == 0o700, f"backup: mode {mode(kept):o}, {text}")
    check(readable_by_others(kept) == [], f"backup made files for everybody: {readable_by_others(kept)}")
    target = os.path.join(place, "restored")
    os.mkdir(target)
    os.chmod(target, 0o755)
    code, text = run("restore", kept, "--data", target)
    check(code == 0 and "the newest of 1; gateways" in text, f"restore: {text}")
    check(readable_by_others(target) == [], f"restore made files for everybody: {readable_by_others(target)}")


def busy_is_not_locked(place, data):
    cloud = subprocess.Popen([program, "run", "--data", data], stderr=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(cloud.stderr), daemon=True)
    reader.start()
    try:
        until = time.monotonic() + 30
        while not any("listening for gateways" in line for line in lines) and time.monotonic() < until:
            time.sleep(0.1)
        check(cloud.poll() is None and lines != [], f"the cloud did not start: {lines}")
        code, text = run("backup", place + "/while-running", "--data", data)
        check(code == 0 and "backup made" in text, f"backup of a running cloud: {code} {text}")
        code, text = run("backup", "/proc/nowhere", "--data", data)
        check(code == 1 and "/proc/nowhere" in text, f"backup to a bad place: {code} {text}")
        cloud.send_signal(signal.SIGSTOP)
        code, text = run("token", "list", "--data", data)
        check(code == 3, f"a cloud that does not answer gives {code} instead of 3: {text}")
        check("in use by another process" not in text, f"a busy cloud is reported as a foreign lock: {text}")
    finally:
        cloud.send_signal(signal.SIGCONT)
        cloud.terminate()
        cloud.wait(30)
    code, text = run("token", "list", "--data", data)
    check(code == 0, f"after the end the database is opened directly: {code} {text}")


def what_ends_with_an_authority_is_said(place):
    data = make(place, "rolled")
    code, text = run("token", "create", "--data", data)
    id = run("token", "list", "--data", data)[1].splitlines()[1].split()[0]
    check(f"token {id}, good until" in text, f"token create does not say the id {id}: {text}")
    check(code == 0 and "ends with it" not in text, f"a token of the only authority is said to end: {text}")
    code, text = run("ca", "roll", "--data", data)
    check(code == 0, f"ca roll: {text}")
    code, text = run("token", "create", "--data", data)
    check(code == 0 and "use it before `iris-cloud ca retire`" in text, f"token create after ca roll: {text}")
    code, text = run("ca", "retire", "--data", data)
    check(code != 0 and "2 unused join tokens" in text, f"ca retire does not say what it would end: {text}")
    code, text = run("ca", "retire", "--force", "--data", data)
    first, last = text.find("2 unused join tokens"), text.find("is trusted no more")
    check(code == 0 and first >= 0 and last >= 0, f"ca retire --force does not say what ends: {text}")
    check("shut out: token " in text and "{" not in text, f"ca retire --force does not list plainly: {text}")
    check("authority retired" in run("token", "list", "--data", data)[1], "a dead token is listed as a good one")
    code, text = run("token", "create", "--data", data)
    check(code == 0 and "ends with it" not in text, f"a token of the new authority is said to end: {text}")


def a_database_that_is_missing_is_not_for_init(place):
    data = make(place, "lost")
    shutil.rmtree(data + "/db")
    for command in (["run"], ["check"], ["token", "list"], ["init"]):
        code, text = run(*command, "--data", data)
        check(code == 1 and "iris-cloud restore DIRECTORY" in text and "--create-store" in text,
              f"{command} does not say how a database gets there: {text}")


with tempfile.TemporaryDirectory(prefix="iris-commands-") as place:
    data = directories_keep_their_mode(place)
    backups_are_private(place, data)
    busy_is_not_locked(place, data)
    what_ends_with_an_authority_is_said(place)
    a_database_that_is_missing_is_not_for_init(place)
print("ok" if not faults else f"{len(faults)} faults")
sys.exit(1 if faults else 0)
