"""Identity of processes: a pid alone is nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import msgspec

from forgeyard.executors import processes


def test_a_process_is_found_until_it_ends() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        identity = processes.identify(process.pid)
        assert identity is not None
        assert processes.is_running(identity)
        assert processes.send_signal(identity, signal.SIGKILL)
        while process.poll() is None:
            pass
        assert not processes.is_running(identity)
        assert not processes.send_signal(identity, signal.SIGKILL)


def test_a_zombie_does_not_run() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert processes.identify(process.pid) is None
    process.wait()


def test_the_next_owner_of_a_pid_is_not_signalled() -> None:
    me = processes.identify(os.getpid())
    assert me is not None
    before = msgspec.structs.replace(me, start_ticks=me.start_ticks - 1)
    assert not processes.is_running(before)
    assert not processes.send_signal(before, signal.SIGKILL)
    last_boot = msgspec.structs.replace(me, boot_id="another")
    assert not processes.send_signal(last_boot, signal.SIGKILL)


def test_tree_and_usage() -> None:
    code = (
        "import subprocess; p = subprocess.Popen(['sleep', '30']); "
        "print(p.pid, flush=True); p.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert set(processes.tree(process.pid)) == {process.pid, child}
        used = processes.usage([process.pid, child, 2**22 - 1])
        assert used.resident_bytes > 1_000_000
        os.kill(child, signal.SIGKILL)
