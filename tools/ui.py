"""Build, test and check the app, where Node.js is to be had.

    python tools/ui.py build     into src/runfolio/server/ui, unless what is there is made of these sources
    python tools/ui.py test      its tests without a browser
    python tools/ui.py check     its types

Without Node.js it says so and exits 0: everything else is built, tested and checked all the same. In CI it exits 1.
The build hook of the wheel (`hatch_build.py`) uses `build` too.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE_MIN = (20, 19)
STAMP = "sources.sha256"  # beside the built files: of which sources they are made


def ui_of(root: Path) -> Path:
    """Return the folder of the app's sources."""
    return root / "ui"


def built_at(root: Path) -> Path:
    """Return the folder that the server serves."""
    return root / "src" / "runfolio" / "server" / "ui"


def source_files(ui: Path) -> Iterator[Path]:
    """Yield what the build reads, in a fixed order; tests are no part of it."""
    tops = ("package-lock.json", "vite.config.ts", "tsconfig.json", "index.html")
    yield from (ui / name for name in tops)
    yield from sorted(each for each in (ui / "src").rglob("*") if each.is_file() and ".test." not in each.name)


def digest(files: Iterator[Path], base: Path) -> str:
    """Hash names and bytes."""
    total = hashlib.sha256()
    for each in files:
        if each.exists():
            total.update(f"{each.relative_to(base).as_posix()}\0{each.stat().st_size}\0".encode() + each.read_bytes())
    return total.hexdigest()


def is_built(root: Path) -> bool:
    """Say whether there is a build, and it is of these sources (or there are no sources to compare it with)."""
    stamp = built_at(root) / STAMP
    if not (built_at(root) / "index.html").exists() or not stamp.exists():
        return False
    ui = ui_of(root)
    return not (ui / "package.json").exists() or stamp.read_text().strip() == digest(source_files(ui), ui)


def missing() -> str | None:
    """Say what of Node.js is missing, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "Node.js and npm are not here"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < NODE_MIN:
        return f"Node.js {said.strip() or '?'} is too old: {NODE_MIN[0]}.{NODE_MIN[1]} or newer is needed"
    return None


def npm(root: Path, *arguments: str) -> None:
    """Run npm among the app's sources; a failure stops here with npm's own words before it."""
    quiet = {**os.environ, "NO_UPDATE_NOTIFIER": "1", "npm_config_fund": "false", "npm_config_audit": "false"}
    subprocess.run([shutil.which("npm") or "npm", *arguments], cwd=ui_of(root), env=quiet, check=True)


def install(root: Path) -> None:
    """Fetch exactly the packages of the lock file, once for each of its states."""
    ui = ui_of(root)
    kept, wanted = ui / "node_modules" / ".of-lock", digest(iter([ui / "package-lock.json"]), ui)
    if kept.exists() and kept.read_text() == wanted:
        return
    npm(root, "ci", "--loglevel=error")
    kept.write_text(wanted)


def build(root: Path = ROOT) -> None:
    """Build the app and note of which sources."""
    install(root)
    npm(root, "run", "--silent", "build", "--", "--logLevel", "warn")
    (built_at(root) / STAMP).write_text(digest(source_files(ui_of(root)), ui_of(root)) + "\n")


def main(verb: str, root: Path = ROOT) -> int:
    """Do what is asked for; return the exit status."""
    if verb == "build" and is_built(root):
        return 0
    if lack := missing():
        print(f"{lack}, so the app in ui/ is not {'built' if verb == 'build' else verb + 'ed'}.", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    try:
        if verb == "build":
            print("Building the app …", file=sys.stderr)
            build(root)
        else:
            install(root)
            npm(root, "run", "--silent", verb)
    except (subprocess.CalledProcessError, OSError) as failed:
        print(f"The app could not be {'built' if verb == 'build' else verb + 'ed'}: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["build"], ["test"], ["check"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
