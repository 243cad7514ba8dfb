"""Compile the kernels, src/lookalike/native/*.cpp, as part of making a wheel or installing from a clone.

    python hatch_build.py       the same in place, for a checkout that runs with PYTHONPATH=src

The kernels are plain functions on arrays behind a C interface, called with ctypes: neither Python's headers
nor NumPy's are needed, and one library serves every Python. They are compiled by `CXX`, by a C++ compiler
that is found, or else by Zig, which pip brings from the package index and which needs nothing of the machine.
On x86-64 there is one library for each level of the instruction set; which one suits is seen when they are
loaded (`lookalike.system.native`).
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, where only the compiler is needed
    BuildHookInterface = object

SOURCES = Path("src", "lookalike", "native")
ZIG = "ziglang>=0.13"
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4") if platform.machine().lower() in ("x86_64", "amd64") else ("",)
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")

# Sums may be taken in any order and fused; NaN and infinity keep their meaning.
FLAGS = (
    "-std=c++17 -O3 -fPIC -fno-exceptions -fno-rtti -fvisibility=hidden -fno-math-errno -fno-trapping-math "
    "-fassociative-math -fno-signed-zeros -ffp-contract=fast -Wall -Wextra -Wno-unknown-pragmas"
).split()
IN_ORDER = "-fno-associative-math -fsigned-zeros -ffp-contract=off".split()
SEPARATE = ["-ffp-contract=off"]
FLAGS_OF = {
    "merging.cpp": IN_ORDER,  # costs that are equal have to stay equal
    "kmeans_tree.cpp": SEPARATE,  # distances have to be those of NumPy, for equal ones to come in the order of rows
    "graph.cpp": SEPARATE,
}


class KernelsHook(BuildHookInterface):
    """Hatchling asks it what a build needs, and to compile."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what pip is to bring for the build: Zig, where there is no compiler."""
        return [] if self.target_name != "wheel" or found_compiler() else [ZIG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and let the wheel carry what was made."""
        if self.target_name != "wheel":
            return
        made = build(Path(self.root))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        build_data["artifacts"] += [f"/{path.relative_to(self.root).as_posix()}" for path in made]


@cache
def found_compiler() -> tuple[str, ...] | None:
    """Return the words that start a C++ compiler of this machine, or None where none can do what is needed."""
    named = os.environ.get("CXX")
    for words in [shlex.split(named)] if named else [["clang++"], ["g++"], ["c++"]]:
        if shutil.which(words[0]) and can_compile(words):
            return tuple(words)
    return None


def can_compile(words: Sequence[str]) -> bool:
    """Tell whether a compiler makes a library for the newest level."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "try.cpp")
        source.write_text('#include <math.h>\n#include <stdint.h>\nextern "C" double f(double x) { return sqrt(x); }\n')
        try:
            compile_library(words, [source], Path(folder, "try" + SUFFIX), LEVELS[-1])
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def compiler() -> tuple[str, ...]:
    """Return the compiler of this machine, or Zig's."""
    return found_compiler() or (sys.executable, "-m", "ziglang", "c++", *zig_target())


def zig_target() -> tuple[str, ...]:
    """Return for which systems Zig compiles: on Linux for those with glibc 2.17 and newer."""
    if sys.platform == "linux":
        return ("-target", f"{platform.machine()}-linux-gnu.2.17")
    return ()


def platform_tag() -> str:
    """Return the platform that the wheel is for."""
    if sys.platform == "linux" and not found_compiler():
        return f"manylinux_2_17_{platform.machine()}"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def build(root: Path) -> list[Path]:
    """Compile what is older than its source; return the libraries.

    Raises
    ------
    SystemExit
        Where it does not compile.
    """
    folder = root / SOURCES
    sources = sorted(folder.glob("*.cpp"))
    newest = max(path.stat().st_mtime for path in (*sources, *folder.glob("*.hpp"), Path(__file__)))
    libraries = {level: folder / f"kernels{level and '-' + level}{SUFFIX}" for level in LEVELS}
    stale = {
        level: path for level, path in libraries.items() if not path.exists() or path.stat().st_mtime < newest
    }
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda item: compile_library(compiler(), sources, item[1], item[0]), stale.items()))
    except OSError as error:
        sys.exit(f"no C++ compiler: install one, or Zig (pip install '{ZIG}'): {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"the kernels do not compile: {shlex.join(map(str, error.cmd))}\n{error.stderr}")
    return list(libraries.values())


def compile_library(words: Sequence[str], sources: Sequence[Path], library: Path, level: str) -> None:
    """Compile sources into one library, which takes the place of an older one only when it is whole."""
    march = [f"-march={level.replace('-', '_') if 'ziglang' in words else level}"] if level else []
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in sources:
            objects.append(str(Path(folder, source.stem + ".o")))
            run(*words, *FLAGS, *FLAGS_OF.get(source.name, ()), *march, "-c", str(source), "-o", objects[-1])
        unfinished = library.with_suffix(f".unfinished{SUFFIX}")
        run(*words, "-shared", "-s", *march, *objects, "-o", str(unfinished))
        unfinished.replace(library)


def run(*command: str) -> None:
    """Run a compiler, and keep what it says for the error."""
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    for path in build(Path(__file__).resolve().parent):
        print(path)
