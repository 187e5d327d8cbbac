"""One contract for every place that objects can be in, and what only a directory promises."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from forgeyard.errors import BadInput, Unavailable
from forgeyard.objects import DigestMismatch, MissingObject, ObjectStore

NOTHING = "00" * 32


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=["directory", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects" if request.param == "directory" else "memory:///")


class TestContract:
    def test_bytes_there_and_back(self, store: ObjectStore) -> None:
        digest = store.put_bytes(b"zlib")
        assert digest == sha256(b"zlib")
        assert store.get(digest) == b"zlib"
        assert store.size(digest) == 4
        assert store.exists(digest)
        assert store.verify(digest)
        assert list(store.list()) == [digest]

    def test_nothing_at_all_is_an_object_too(self, store: ObjectStore) -> None:
        assert store.get(store.put_bytes(b"")) == b""
        assert list(store.stream(sha256(b""))) == []

    def test_putting_again_changes_nothing(self, store: ObjectStore) -> None:
        assert store.put_bytes(b"a") == store.put_bytes(b"a")
        assert len(list(store.list())) == 1

    def test_files(self, store: ObjectStore, tmp_path: Path) -> None:
        data = os.urandom(3_000_000)
        (tmp_path / "file").write_bytes(data)
        assert store.put_file(tmp_path / "file", sha256(data)) == (sha256(data), len(data))
        assert b"".join(store.stream(sha256(data), piece=1_000_000)) == data

    def test_the_announced_digest_is_checked(self, store: ObjectStore, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"evil")
        with pytest.raises(DigestMismatch):
            store.put_file(tmp_path / "file", sha256(b"good"))
        assert list(store.list()) == []

    def test_piece_by_piece(self, store: ObjectStore) -> None:
        with store.open_writer() as writer:
            writer.write(b"ab")
            writer.write(memoryview(b"cd"))
            assert writer.size == 4
            assert not store.exists(sha256(b"abcd"))
            assert writer.commit(sha256(b"abcd")) == (sha256(b"abcd"), 4)
        assert store.get(sha256(b"abcd")) == b"abcd"

    def test_what_is_not_committed_is_gone(self, store: ObjectStore) -> None:
        with store.open_writer() as writer:
            writer.write(b"ab")
        with pytest.raises(RuntimeError, match="boom"), store.open_writer() as writer:
            writer.write(b"cd")
            raise RuntimeError("boom")
        assert list(store.list()) == []
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"more")
        with pytest.raises(ValueError, match="closed"):
            writer.commit()

    def test_missing(self, store: ObjectStore) -> None:
        assert not store.exists(NOTHING)
        assert store.local_path(NOTHING) is None
        for ask in (store.get, store.size, store.verify, lambda key: next(store.stream(key))):
            with pytest.raises(MissingObject):
                ask(NOTHING)

    def test_delete(self, store: ObjectStore) -> None:
        digest = store.put_bytes(b"a")
        store.delete(digest)
        store.delete(digest)
        assert not store.exists(digest)

    @pytest.mark.parametrize("key", ["", "ab", "../../etc/passwd", "AB" * 32, "ab" * 32 + "\n"])
    def test_only_digests_are_keys(self, store: ObjectStore, key: str) -> None:
        for ask in (store.get, store.exists, store.size, store.local_path, store.delete):
            with pytest.raises(BadInput):
                ask(key)


class TestDirectory:
    def store(self, tmp_path: Path) -> ObjectStore:
        return ObjectStore(tmp_path)

    def test_layout(self, tmp_path: Path) -> None:
        digest = self.store(tmp_path).put_bytes(b"a")
        path = tmp_path / digest[:2] / digest[2:]
        assert path.read_bytes() == b"a"
        assert self.store(tmp_path).local_path(digest) == path
        assert path.stat().st_mode & 0o222 == 0

    def test_damage_is_seen(self, tmp_path: Path) -> None:
        store = self.store(tmp_path)
        digest = store.put_bytes(b"good")
        path = store.local_path(digest)
        assert path is not None
        path.chmod(0o644)
        path.write_bytes(b"evil")
        assert not store.verify(digest)

    def test_a_file_cut_off_is_replaced_by_a_whole_one(self, tmp_path: Path) -> None:
        store = self.store(tmp_path)
        digest = store.put_bytes(b"good")
        path = store.local_path(digest)
        assert path is not None
        path.chmod(0o644)
        path.write_bytes(b"go")
        store.put_bytes(b"good")
        assert store.verify(digest)

    def test_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.store(tmp_path)

        def full(*arguments: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        for call in ("write", "fsync"):
            with monkeypatch.context() as patched:
                patched.setattr(os, call, full)
                with pytest.raises(Unavailable, match="no space left") as caught:
                    store.put_bytes(b"data")
            assert caught.value.code == "disk_full"
            assert caught.value.hint is not None
            assert list(store.list()) == []
            assert list((tmp_path / ".incoming").iterdir()) == []

    def test_a_really_full_disk(self, tmp_path: Path) -> None:
        script = """
import sys
from pathlib import Path
from forgeyard.errors import Unavailable
from forgeyard.objects import ObjectStore
store = ObjectStore(sys.argv[1])
small = store.put_bytes(b"small")
try:
    with store.open_writer() as writer:
        for _ in range(64):
            writer.write(bytes(2**16))
        writer.commit()
except Unavailable as error:
    assert error.code == "disk_full", error.code
    assert list(store.list()) == [small]
    assert not list(Path(sys.argv[1], ".incoming").iterdir())
    assert store.put_bytes(b"fits again")
    print("full")
"""
        mount = 'mount -t tmpfs -o size=1m none $0 && exec $1 -c "$2" $0'
        unshare = shutil.which("unshare")
        probe = [str(unshare), "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)]
        if not unshare or subprocess.run(probe, capture_output=True).returncode:
            pytest.skip("this machine does not let a test mount a small disk")
        done = subprocess.run(
            [unshare, "-rm", "sh", "-c", mount, str(tmp_path), sys.executable, script],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert done.stdout == "full\n", done.stderr

    def test_a_folder_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(Unavailable) as caught:
            ObjectStore(tmp_path / "file" / "objects")
        assert caught.value.code == "objects_unavailable"

    def test_many_writers_of_one_object(self, tmp_path: Path) -> None:
        store = self.store(tmp_path)
        data = os.urandom(200_000)
        threads = [threading.Thread(target=store.put_bytes, args=(data,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(store.list()) == [sha256(data)]
        assert store.verify(sha256(data))

    def test_sweep_removes_what_a_killed_writer_left(self, tmp_path: Path) -> None:
        store = self.store(tmp_path)
        living = store.open_writer()
        left = tmp_path / ".incoming" / "in-dead"
        left.write_bytes(b"half")
        os.utime(left, (0, 0))
        assert store.sweep(3600) == 1
        assert not left.exists()
        living.write(b"a")
        assert living.commit() == (sha256(b"a"), 1)
