"""Where a build's inputs come from, and that a build cannot change them for others."""

from __future__ import annotations

import hashlib
import io
import tarfile

from forgeyard.builds.outcome import Outcome
from functional.runner.conftest import RECIPE, Bench
from functional.runner.test_failures import sourced


def test_second_place_serves_and_the_mirror_keeps(bench: Bench) -> None:
    data = bench.root / "data.txt"
    data.write_text("data\n")
    digest = hashlib.sha256(b"data\n").hexdigest()
    recipe = sourced(f"[file:///nowhere/data.txt, {data.as_uri()}]", digest)
    job = bench.job(recipe)
    result = bench.run_job(job)
    assert result.outcome is Outcome.SUCCEEDED, result.failure
    assert "/nowhere/data.txt" in bench.yard.text(job.attempt_id)
    assert bench.yard.has(digest)

    data.unlink()  # from now on only the mirror has it
    again = bench.run_job(bench.job(recipe))
    assert again.outcome is Outcome.SUCCEEDED, again.failure


def test_archives_are_unpacked_and_file_name_keeps_them(bench: Bench) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo("top-1.0/inner.txt")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"in\n"))
    digest = bench.yard.put(buffer.getvalue())
    recipe = f"""\
context: {{version: "1.10"}}
package: {{name: demo, version: "${{{{ version }}}}"}}
source:
  - url: https://upstream.invalid/a/top-${{{{ version }}}}.tar.gz?raw=1
    sha256: {digest}
    target_directory: unpacked
  - url:
      - https://upstream.invalid/b/top.tar.gz  # a mirror
      - https://mirror.invalid/b/top.tar.gz
    sha256: {digest}
    file_name: kept.tgz
  - path: note.txt
build:
  number: 0
  script:
    - mkdir -p $PREFIX/share
    - cp unpacked/inner.txt kept.tgz note.txt $PREFIX/share/
about: {{license: MIT, summary: a demo}}
"""
    result = bench.run(recipe, files={"note.txt": "a note\n"})
    assert result.outcome is Outcome.SUCCEEDED, result.failure
    text = _member(bench, result.artifacts[0].sha256, "info/recipe/recipe.yaml")
    assert text.decode() == recipe
    rendered = _member(bench, result.artifacts[0].sha256, "info/recipe/rendered_recipe.yaml")
    assert b"https://upstream.invalid/a/top-1.10.tar.gz?raw=1" in rendered


def test_solves_build_then_host_with_strong_exports(bench: Bench) -> None:
    bench.add_package("runtime", {"lib/runtime": "x"})
    bench.add_package(
        "compiler",
        {"bin/compiler": "#!/bin/sh\necho compiled\n"},
        run_exports={"strong": ["runtime >=1"]},
    )
    bench.add_package("library", {"include/library.h": "x"}, depends=("runtime",))
    bench.add_package("library", {"include/library.h": "y"}, version="2.0")
    recipe = RECIPE.replace(
        "about:", "requirements:\n  build: [compiler]\n  host: [library]\nabout:"
    ).replace("    - mkdir", "    - compiler\n    - test -f $PREFIX/lib/runtime\n    - mkdir", 1)
    job = bench.job(recipe, variant={"library": "1.0"})
    result = bench.run_job(job)
    assert result.outcome is Outcome.SUCCEEDED, (result.failure, bench.yard.text(job.attempt_id))
    names = {
        name: {f"{each.name} {each.version}" for each in lock}
        for name, lock in result.locks.items()
    }
    assert names == {"build": {"compiler 1.0"}, "host": {"library 1.0", "runtime 1.0"}}
    urls = {each.url for lock in result.locks.values() for each in lock}
    assert all(url.startswith(bench.yard.channel_url) for url in urls)
    depends = _member(bench, result.artifacts[0].sha256, "info/index.json")
    assert b"runtime >=1" in depends


def test_no_build_can_poison_the_package_cache(bench: Bench) -> None:
    bench.add_package("library", {"include/library.h": "good\n"})
    with_library = RECIPE.replace("about:", "requirements:\n  host: [library]\nabout:")
    poisoner = with_library.replace(
        "    - mkdir",
        "    - echo evil >> $PREFIX/include/library.h\n"
        "    - (echo evil >> /cache/pkgs/library-1.0-h0_0/include/library.h) || true\n"
        "    - rm -rf /cache/pkgs/library-1.0-h0_0 || true\n"
        "    - rm $PREFIX/include/library.h\n    - mkdir",
        1,
    )
    first = bench.run(poisoner)
    assert first.outcome is Outcome.SUCCEEDED, first.failure
    checker = with_library.replace(
        "    - mkdir", '    - test "$(cat $PREFIX/include/library.h)" = good\n    - mkdir', 1
    )
    second = bench.run(checker)
    assert second.outcome is Outcome.SUCCEEDED, second.failure


def test_tests_get_their_own_environments(bench: Bench) -> None:
    bench.add_package("helper", {"bin/helper": "#!/bin/sh\necho helped\n"})
    recipe = RECIPE.replace(
        "about:", "      - helper\n    requirements:\n      run: [helper]\nabout:"
    )
    job = bench.job(recipe)
    built = bench.run_job(job)
    tested = bench.run_job(bench.test_job(job, built.artifacts))
    assert tested.outcome is Outcome.SUCCEEDED, tested.failure
    assert [each.name for each in tested.locks["test"]] == ["helper"]


def test_one_output_of_several(bench: Bench) -> None:
    recipe = """\
recipe: {name: top, version: "1.0"}
build: {number: 0}
outputs:
  - package: {name: libdemo}
    build:
      script: ["mkdir -p $PREFIX/lib", "echo x > $PREFIX/lib/demo"]
  - package: {name: demo-tools}
    build:
      script: ["mkdir -p $PREFIX/share", "cp $PREFIX/lib/demo $PREFIX/share/tool"]
    requirements:
      host: ["${{ pin_subpackage('libdemo', exact=True) }}"]
about: {license: MIT, summary: a demo}
"""
    job = bench.job(recipe)
    assert job.name == "libdemo"
    first = bench.run_job(job)
    assert first.outcome is Outcome.SUCCEEDED, first.failure
    bench.publish(first.artifacts[0])
    second_job = bench.job(recipe, output="demo-tools")
    second = bench.run_job(second_job)
    assert second.outcome is Outcome.SUCCEEDED, second.failure
    assert [each.name for each in second.locks["host"]] == ["libdemo"]


def test_cross_build_gets_the_host_environment_of_its_target(bench: Bench) -> None:
    bench.add_package("library", {"lib/which": "native\n"}, subdir="linux-64")
    bench.add_package("library", {"lib/which": "crossed\n"}, subdir="linux-aarch64")
    bench.add_package("tool", {"bin/tool": "#!/bin/sh\n"}, subdir="linux-64")
    recipe = """\
context: {version: "1.10"}
recipe: {name: top, version: "${{ version }}"}
build: {number: 0}
outputs:
  - package: {name: other}
  - package: {name: demo}
    build:
      script:
        - tool
        - test "$(cat $PREFIX/lib/which)" = crossed
        - test $target_platform = linux-aarch64
        - mkdir -p $PREFIX/share && echo x > $PREFIX/share/x
    requirements:
      build: [tool]
      host: [library]
about: {license: MIT, summary: a demo}
"""
    job = bench.job(recipe, output="demo", target="linux-aarch64", variant={"library": "1.0"})
    result = bench.run_job(job)
    assert result.outcome is Outcome.SUCCEEDED, (result.failure, bench.yard.text(job.attempt_id))
    assert result.artifacts[0].subdir == "linux-aarch64"
    assert result.artifacts[0].filename == f"demo-1.10-{job.build_string}.conda"
    assert [each.subdir for each in result.locks["host"]] == ["linux-aarch64"]


def _member(bench: Bench, digest: str, name: str) -> bytes:
    from rattler.package_streaming import extract

    package = bench.root / f"{digest}.conda"
    package.write_bytes((bench.yard.objects / digest).read_bytes())
    folder = bench.root / "members" / digest
    if not folder.exists():
        extract(package, folder)
    return (folder / name).read_bytes()
