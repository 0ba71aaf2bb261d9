"""The folder of one training run.

Source: vibe-rl, "Metrics & Logging", Where metrics live, Resuming a WandB run.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from runfolio.convert.vibe_rl_folder import CONFIG, FOLDERS, METRICS
from runfolio.dialects.vibe_rl.config_file import readable_config, write_config
from runfolio.dialects.vibe_rl.runs import open_run
from runfolio.errors import InvalidValue, RunNotFound, UsageError
from runfolio.sdk.trouble import tell


class RunDir:
    """A folder with `logs`, `checkpoints`, `videos` and `artifacts`: a new one, or one that is there already.

    Args:
        name: of a new run; its folder is `<base_dir>/<name>_<YYYYMMDD_HHMMSS>`, of the next second that is free.
        base_dir: where the folders of runs lie.
        run_id: the name of the folder of an earlier run, to go on with it.

    Raises:
        UsageError: neither a name nor a run_id, or both. RunNotFound: no folder has this run_id.
    """

    def __init__(
        self, name: str | None = None, base_dir: str | os.PathLike[str] = "runs", *, run_id: str | None = None
    ) -> None:
        if (name is None) == (run_id is None):
            raise UsageError("RunDir takes a name, to begin a run, or run_id=…, to reopen one: exactly one of them")
        base = Path(base_dir)
        self.root: Path = _new(base, name) if name is not None else _existing(base, str(run_id))
        for folder in FOLDERS:
            (self.root / folder).mkdir(exist_ok=True)

    @property
    def run_id(self) -> str:
        """The name of the folder: what reopens it."""
        return self.root.name

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def videos(self) -> Path:
        return self.root / "videos"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    def log_path(self, name: str = METRICS) -> Path:
        """Give the path for a MetricsLogger."""
        return self.logs / name

    def save_config(self, config: Any) -> Path:
        """Write the configuration, a dict or dataclass, to `config.json`; it becomes the params of the run. Returns the file's path.

        Raises:
            InvalidValue: neither dict nor dataclass.
        """
        plain, path = readable_config(config), self.root / CONFIG
        run = open_run(self.log_path())
        write_config(path, plain)
        try:
            run.set_params(plain, replace=True)
        except InvalidValue:
            raise
        except UsageError as clash:  # `a` beside `a.b`, now or of an earlier config
            tell(f"the config is in {path}, and not among the params of the run: {clash}")
        return path

    def __fspath__(self) -> str:
        return str(self.root)

    def __str__(self) -> str:
        return str(self.root)

    def __repr__(self) -> str:
        return f"RunDir({str(self.root)!r})"


def _new(base: Path, name: str) -> Path:
    """Make the folder of a new run: whoever makes a second's folder has it."""
    if not isinstance(name, str) or not name or name in (".", "..") or "/" in name or os.sep in name or "\0" in name:
        raise UsageError(f"a run's name becomes the name of a folder: text without '/', not {name!r}")
    base.mkdir(parents=True, exist_ok=True)
    second = time.time()
    while True:
        root = base / f"{name}_{time.strftime('%Y%m%d_%H%M%S', time.localtime(second))}"
        try:
            root.mkdir()
            return root
        except FileExistsError:
            second += 1


def _existing(base: Path, run_id: str) -> Path:
    root = base / run_id
    if (
        ".." not in Path(run_id).parts and root != base and root.is_dir()
    ):  # a run's folder lies below; what is beside is nobody's run
        return root
    from difflib import get_close_matches

    names = [entry.name for entry in os.scandir(base) if entry.is_dir()] if base.is_dir() else []
    near = get_close_matches(run_id, names, 3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {len(names)} runs in it"
    raise RunNotFound(f"no run {run_id!r} in {str(base)!r}; {hint}")
