"""A yard with a server of its own process, as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import httpx

FORGEYARD = [str(Path(sys.executable).parent / "forgeyard")]


class ServedYard:
    """``forgeyard init`` and ``forgeyard up`` in a folder, and a client of its API."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        self._settings = settings
        self._server: subprocess.Popen[bytes] | None = None
        if not (folder / "forgeyard.toml").exists():
            subprocess.run([*FORGEYARD, "init", str(folder)], check=True, capture_output=True)
        token = tomllib.loads((folder / "credentials.toml").read_text())["token"]
        (folder / "forgeyard.toml").write_text(settings)
        self._headers = {"Authorization": f"Bearer {token}"}

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = (self.folder / "server.log").open("ab")
        self._server = subprocess.Popen(
            [*FORGEYARD, "up", str(self.folder)], stdout=log, stderr=log, start_new_session=True
        )
        port = tomllib.loads(self._settings)["server"]["port"]
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, headers=self._headers, timeout=120)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.http.get("/api/v1/health").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError(f"the server did not start: see {self.folder}/server.log")

    def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGTERM)
            self._server.wait(timeout=30)
            self._server = None

    def kill(self) -> None:
        """``kill -9`` of the server alone; what it started goes on."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Ask the API for something."""
        answer = self.http.post(f"/api/v1{path}", json=body)
        if not answer.is_success:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return answer.json()

    def get(self, path: str) -> Any:
        """Ask the API."""
        return self.http.get(f"/api/v1{path}").raise_for_status().json()

    def build(self, names: list[str]) -> list[dict[str, Any]]:
        """Build and wait; every build has to succeed.

        Looks seldom, so that looking takes nothing from the builds; when they ended stands
        in the builds themselves.
        """
        submission = self.post("/builds", {"feedstocks": names})
        if submission["problems"]:
            raise RuntimeError(str(submission["problems"]))
        while (batch := self.get(f"/batches/{submission['batch']}"))["done"] < batch["total"]:
            time.sleep(0.5)
        builds = [self.get(f"/builds/{build['id']}") for build in submission["builds"]]
        for build in builds:
            if build["outcome"] not in ("succeeded", "unchanged"):
                raise RuntimeError(f"{build['name']}: {build.get('failure')}")
        return builds
