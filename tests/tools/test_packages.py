"""`eqhls package` and the folder that it writes into; FuseSoC, lists of files, ipbb, Hog and Bender by their tools
or by readers of their grammars, with mistakes that must be seen."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from package_grammars import GrammarFault, read_bender, read_dep, read_hog
from packed import NAMES, SOURCES, TOKEN, copied, packed_project, spoil, write_network
from tools_needed import need

import eqhls
from eqhls.backends.package.fusesoc import PACKAGE as FUSESOC
from eqhls.backends.package.package import Package, Settings
from eqhls.commands.package import lines
from eqhls.errors import CompileError
from eqhls.flow import Compiled
from eqhls.lower.plan import Plan
from eqhls.packaging import PACKAGES, package_project
from eqhls.text import add_parts, sums
from eqhls.verify.floatstage import files_stage
from eqhls.verify.toolchain import toolchain

ROOT = Path(__file__).resolve().parents[2]
SCREEN, WIDTH = 24, 120


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return packed_project(tmp_path_factory.mktemp("packages") / "My Documents")


@pytest.fixture
def copy(packed: Compiled, tmp_path: Path) -> Compiled:
    return copied(packed, tmp_path)


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eqhls.cli", "package", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def plan_of(project: Compiled) -> Plan:
    return Plan.of(project.graph, project.options)


# the command and the folder


def test_the_command_lists_packages_and_writes_them(copy: Compiled) -> None:
    listed = command(copy.folder)
    assert listed.returncode == 0
    for package in PACKAGES:
        assert f"{package.name} " in listed.stdout and package.summary in listed.stdout
    done = command(copy.folder, "--for", "fusesoc", "--for", "sources", "--links", 6)
    assert done.returncode == 0, done.stderr
    assert f"wrote package fusesoc into DIR = {copy.folder}" in done.stdout and "pair.core" in done.stdout
    assert "is not verified" in done.stderr
    assert copy.manifest["packages"]["fusesoc"]["links"] == 6


@pytest.mark.parametrize("name", NAMES)
def test_one_screen_says_what_was_written(copy: Compiled, name: str) -> None:
    (done,) = copy.package(name, token=TOKEN)
    said = lines(done, Path("build/pair"))
    assert done.name == name and 3 < len(said) <= SCREEN
    assert all(len(line) <= WIDTH for line in said)
    many = lines(replace(done, files=tuple(map(str, range(100)))), Path("build/pair"))
    assert len(many) <= SCREEN and any("and 94 more files" in line for line in many)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--for", "fusesok"), "--for: found 'fusesok', expected one of .*; did you mean fusesoc?"),
        (("--for", "fusesoc", "--links", "0"), "links: found 0, expected 1 or more"),
    ],
)
def test_mistakes_are_one_line(copy: Compiled, words: tuple[str, ...], said: str) -> None:
    done = command(copy.folder, *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search(said, done.stderr.splitlines()[-1]), done.stderr


def test_rtl_that_the_network_does_not_give_is_refused(copy: Compiled) -> None:
    """The proof is about what lies there: nothing is written."""
    spoil(copy.folder / "rtl" / "pair_core.v", "stage 0", "stage  0")
    before = (copy.folder / "eqhls.json").read_bytes()
    done = command(copy.folder, "--for", "fusesoc", "--links", 7)
    assert done.returncode == 2 and "pair_core.v: is not what the network gives" in done.stderr
    assert (copy.folder / "eqhls.json").read_bytes() == before
    (copy.folder / "rtl" / "pair.v").unlink()
    spoil(copy.folder / "rtl" / "pair_core.v", "stage  0", "stage 0")
    with pytest.raises(CompileError, match=r"pair\.v: is missing; compile the network again"):
        copy.package("hog")


def test_rtl_of_another_version_is_told_from_changed_rtl(copy: Compiled) -> None:
    core = copy.folder / "rtl" / "pair_core.v"
    spoil(core, "stage 0", "step 0")
    spoil(copy.folder / "eqhls.json", *(sums({"x": t})["x"] for t in (_original(core), core.read_text())))
    with pytest.raises(CompileError, match="is what another version of eqhls made of the network"):
        copy.package("hog")


def _original(core: Path) -> str:
    return core.read_text().replace("step 0", "stage 0")


def test_verify_notices_a_changed_package(copy: Compiled) -> None:
    assert files_stage(copy.folder, copy.manifest).ok
    spoil(copy.folder / "ip" / "vivado" / "run.tcl", "opt_design", "opt_design -sweep")
    stage = files_stage(copy.folder, copy.manifest)
    assert not stage.ok and "ip/vivado/run.tcl was changed" in stage.detail


@pytest.mark.parametrize(
    ("evidence", "holds"),
    [
        ('{"ok": true}', True),
        ('{"ok": false}', False),
        ('{"ok"', False),
        ("{}", False),
        ("[]", False),
        ("", False),
    ],
)
def test_a_project_says_whether_it_is_verified(copy: Compiled, evidence: str, holds: bool) -> None:
    (copy.folder / "report" / "evidence.json").write_text(evidence)
    assert copy.verified is holds
    copy.package("hog")
    assert copy.verified is holds, "packages leave the evidence alone"


def test_again_gives_the_same_bytes_and_keeps_what_a_user_changed(copy: Compiled) -> None:
    before = copy.manifest
    copy.package(*NAMES, token=TOKEN)
    assert copy.manifest == before
    run = copy.folder / "ip" / "vivado" / "run.tcl"
    original = run.read_text()
    run.write_text("# mine\n")
    copy.package("vivado", token=TOKEN)
    assert run.read_text() == original
    assert run.with_name("run.tcl.edited").read_text() == "# mine\n"


def test_compiling_again_takes_the_packages_away(copy: Compiled) -> None:
    write_network(copy.folder.parent)
    said = list[str]()
    again = eqhls.compile(
        copy.folder.parent / "pair.eq", output=copy.folder, report=lambda text, share: said.append(text)
    )
    assert "packages" not in again.manifest
    (note,) = (text for text in said if text.startswith("note: the packages axi, bender"))
    assert note.endswith("package again")
    assert not (copy.folder / "ip").exists() and not (copy.folder / "pair.core").exists()


def _package(name: str, files: Mapping[str, str]) -> Package:
    return Package(name, "for tests", lambda plan, settings: files, lambda plan, settings: "")


def test_files_of_others_are_not_overwritten(copy: Compiled) -> None:
    """A file of the project is refused; one of another package may be shared if it is the same."""
    plan, settings = plan_of(copy), Settings()

    def write(*packages: Package) -> None:
        package_project(plan, copy.folder, copy.manifest["sha256"], packages, settings)

    with pytest.raises(CompileError, match=r"rtl/pair\.v: is a file of the project, and a would write"):
        write(_package("a", {"rtl/pair.v": "module"}))
    write(_package("a", {"ip/cell.v": "cell", "ip/a.v": "a"}))
    write(_package("b", {"ip/cell.v": "cell"}))
    with pytest.raises(CompileError, match=r"ip/cell\.v: is a file of a, and b would write another"):
        write(_package("b", {"ip/cell.v": "another"}))
    with pytest.raises(CompileError, match="another package of this command"):
        write(_package("a", {"ip/cell.v": "one"}), _package("b", {"ip/cell.v": "two"}))
    write(_package("a", {"ip/b.v": "b"}))
    assert (copy.folder / "ip" / "cell.v").is_file() and not (copy.folder / "ip" / "a.v").exists()
    assert files_stage(copy.folder, copy.manifest).ok
    write(_package("b", {}))
    assert not (copy.folder / "ip" / "cell.v").exists() and files_stage(copy.folder, copy.manifest).ok


def test_a_folder_that_cannot_be_written_stays_as_it_was(copy: Compiled) -> None:
    before = sorted(copy.folder.rglob("*")), copy.manifest
    (copy.folder / "ip" / "new").write_text("a file where a folder is needed")
    with pytest.raises(CompileError, match="cannot be written"):
        add_parts({"a": {"ip/a.v": "a", "ip/new/b.v": "b"}}, {}, copy.folder)
    (copy.folder / "ip" / "new").unlink()
    assert (sorted(copy.folder.rglob("*")), copy.manifest) == before


def test_packages_are_pure(packed: Compiled) -> None:
    """Equal plans give equal files, whose paths stay below the project; nothing names this machine."""
    plan = plan_of(packed)
    for package in PACKAGES:
        files = package.write(plan, Settings(token=TOKEN))
        assert files and files == package.write(replace(plan), Settings(token=TOKEN))
        for path, content in files.items():
            assert ".." not in Path(path).parts and not Path(path).is_absolute()
            assert str(packed.folder.parent) not in str(content) and str(Path.home()) not in str(content)


def test_the_page_shows_what_is_printed(packed: Compiled) -> None:
    """One row and one section for each package, with its screen for this network."""
    page = (ROOT / "docs" / "packages.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.M) == [(p.name, p.summary) for p in PACKAGES]
    for done in packed.package(*NAMES, token=TOKEN):
        section = re.split(r"^## ", page.partition(f"\n## {done.name}\n")[2], flags=re.M)[0]
        (screen,) = re.findall(r"^```text\n(.*?)^```$", section, re.M | re.S)
        assert screen.splitlines() == lines(done, Path("build/pair")), done.name


# FuseSoC


def fusesoc(project: Compiled, target: str) -> subprocess.CompletedProcess[str]:
    """Run the command that `eqhls package` prints, in a folder beside the project."""
    (printed,) = (x for x in FUSESOC.connect(plan_of(project), Settings()).splitlines() if f"={target} " in x)
    program, *words = shlex.split(printed.partition("#")[0].replace("DIR", str(project.folder)))
    need("iverilog")
    work = project.folder.parent / "work"
    work.mkdir(exist_ok=True)
    kept = {f"XDG_{kind}_HOME": str(work / kind) for kind in ("CONFIG", "DATA", "CACHE")}
    return subprocess.run(
        [need(program), *words],
        cwd=work,
        env={**toolchain().env, **kept},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", ["lint", "sim", "sim_verilator"])
def test_fusesoc(copy: Compiled, target: str) -> None:
    done = fusesoc(copy, target)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "%Warning" not in said
    assert target == "lint" or "PASS: " in said
    core = yaml.safe_load((copy.folder / "pair.core").read_text().partition("\n")[2])
    assert [next(iter(f)) for f in core["filesets"]["rtl"]["files"]] == SOURCES


@pytest.mark.parametrize(
    ("target", "file", "old", "new", "said"),
    [
        ("sim", "sim/verilog/expected.hex", "\n0", "\n1", "FAIL: "),
        ("sim", "rtl/pair.v", ".Latency(", ".Latency(1+", "FAIL: "),
        ("lint", "rtl/pair.v", "wire [39:0] in_data", "wire [38:0] in_data", "%Warning-WIDTH"),
        ("lint", "pair.core", "rtl/pair_core.v:", "rtl/pair_cor.v:", "Cannot find rtl/pair_cor.v"),
        ("lint", "pair.core", "toplevel", "top_level", "top_level"),
    ],
)
def test_fusesoc_sees_mistakes(copy: Compiled, target: str, file: str, old: str, new: str, said: str) -> None:
    spoil(copy.folder / file, old, new)
    done = fusesoc(copy, target)
    assert done.returncode != 0 and said in done.stdout + done.stderr, (done.stdout + done.stderr)[-2000:]


# lists of files for simulators


def test_lists_of_files_work_from_any_folder(copy: Compiled, tmp_path: Path) -> None:
    lists, elsewhere = copy.folder / "ip" / "sources", tmp_path / "a" / "b"
    elsewhere.mkdir(parents=True)
    verilator = [toolchain().verilator, "--lint-only", "-Wall", "--top-module", "pair"]
    icarus = [need("iverilog"), "-g2012", "-s", "pair", "-o", "pair.vvp"]

    def status(*words: object, **more: str) -> int:
        env = {**toolchain().env, **more}
        return subprocess.run(
            list(map(str, words)), cwd=elsewhere, env=env, capture_output=True, check=False
        ).returncode

    assert status(*verilator, "-F", lists / "pair.f") == 0
    assert status(*verilator, "-f", lists / "pair_env.f", PAIR_DIR=str(copy.folder)) == 0
    assert status(*icarus, "-f", lists / "pair_env.f", PAIR_DIR=str(copy.folder)) == 0
    assert status(*verilator, "-f", copy.folder / "rtl" / "sources.f") != 0, "it would not be needed"
    assert status(*icarus, "-f", lists / "pair_env.f", PAIR_DIR="/nowhere") != 0


# ipbb, Hog, Bender


@pytest.fixture
def area(copy: Compiled, tmp_path: Path) -> Path:
    """A work area of ipbb, with the project as a package and a design that includes it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "pair").symlink_to(copy.folder)
    (tmp_path / "src" / "mine" / "top" / "firmware" / "cfg").mkdir(parents=True)
    return tmp_path / "src"


def included(area: Path, line: str) -> list[str]:
    (area / "mine" / "top" / "firmware" / "cfg" / "top.d3").write_text(f"# a design\n{line}\n")
    return [str(p.relative_to(area / "pair")) for p in read_dep(area, "mine", "top")]


def test_ipbb(area: Path, copy: Compiled) -> None:
    """The lines that the command prints include the sources, in one order from both forms."""
    (done,) = copy.package("ipbb")
    lines = [line.strip() for line in done.connect.splitlines() if line.strip().startswith("include")]
    assert len(lines) == 2
    for line in lines:
        assert included(area, line) == SOURCES


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("eq_pair.d3", "pair_core.v", "pair_cor.v", "does not exist"),
        ("eq_pair.d3", "src ", "source ", "no command source"),
        ("eq_pair.d3", "src ", "src --fast ", "no option --fast"),
        ("eq_pair.d3", "pair.v", "pair.v # the top", "does not exist"),
    ],
)
def test_the_reader_of_ipbb_sees_mistakes(area: Path, file: str, old: str, new: str, said: str) -> None:
    spoil(area / "pair" / "ip" / "ipbb" / "eq_pair" / "firmware" / "cfg" / file, old, new)
    with pytest.raises(GrammarFault, match=said):
        included(area, "include -c pair:ip/ipbb/eq_pair")


def test_both_forms_in_one_folder_would_have_no_default(area: Path) -> None:
    cfg = area / "pair" / "ip" / "ipbb" / "eq_pair" / "firmware" / "cfg"
    shutil.copy(cfg / "dep" / "eq_pair.dep", cfg)
    with pytest.raises(GrammarFault, match="expected one default file"):
        included(area, "include -c pair:ip/ipbb/eq_pair")


def test_hog(copy: Compiled) -> None:
    """The commands that are printed, in a repository of Hog."""
    (done,) = copy.package("hog")
    repository = copy.folder.parent
    listing = repository / "Top" / "YOUR_PROJECT" / "list" / "eq_pair.src"
    listing.parent.mkdir(parents=True)
    cp, sed = (
        line.strip() for line in done.connect.splitlines() if line.strip().startswith(("cp pair", "sed"))
    )
    subprocess.run(cp, shell=True, cwd=repository, check=True)
    assert [str(p.relative_to(repository)) for p in read_hog(listing, repository)] == [
        f"pair/{s}" for s in SOURCES
    ]
    (repository / "ips").mkdir()
    copy.folder.rename(repository / "ips" / "pair")
    with pytest.raises(GrammarFault, match="names no file"):
        read_hog(listing, repository)
    subprocess.run(sed, shell=True, cwd=repository, check=True)
    assert len(read_hog(listing, repository)) == len(SOURCES)
    spoil(listing, "pair.v", "pair.v top=pair fastest")
    with pytest.raises(GrammarFault, match="unknown"):
        read_hog(listing, repository)


def test_bender(copy: Compiled) -> None:
    manifest = copy.folder / "Bender.yml"
    assert [str(p.relative_to(copy.folder)) for p in read_bender(manifest)] == SOURCES
    for old, new in (("pair_core.v", "pair_cor.v"), ("sources:", "source:"), ("files:", "file:")):
        text = manifest.read_text()
        spoil(manifest, old, new)
        with pytest.raises(GrammarFault):
            read_bender(manifest)
        manifest.write_text(text)


def test_the_manifest_lists_what_lies_there(packed: Compiled) -> None:
    manifest = packed.manifest
    files = {f for part in manifest["packages"].values() for f in part["files"]}
    assert files <= set(manifest["sha256"]) and sorted(manifest["packages"]) == sorted(NAMES)
    assert all((packed.folder / f).stat().st_size > 0 for f in files)
