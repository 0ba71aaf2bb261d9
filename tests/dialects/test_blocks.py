"""What the dialects' tests take out of the documents."""

from __future__ import annotations

import pytest

from dialects.blocks import DOCUMENTS, SYSTEMS, blocks_of, mapped


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_fence_is_a_block(system: str) -> None:
    """Each fenced block of a document is found once, in order, at its line, with its own text."""
    lines = (DOCUMENTS / f"{system}.md").read_text(encoding="utf-8").split("\n")
    blocks = blocks_of(system)
    assert 2 * len(blocks) == sum(line.lstrip().startswith("```") for line in lines)
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))
    for block in blocks:
        assert lines[block.line - 1].strip() == f"```{block.language}"
        assert block.text.split("\n")[0].strip() == lines[block.line].strip()


@pytest.mark.parametrize(
    ("system", "theirs", "ours"),
    [
        ("yanex", "import yanex\n", "from runfolio.dialects import yanex\n"),
        ("yanex", "# a\nyanex run x.py\n", "# a\nrunfolio run x.py\n"),
        ("yanex", "cat ~/.yanex/a", "cat ~/.yanex/a"),
        ("cs336", "from cs336_basics.experiment_log import A", "from runfolio.dialects.cs336.experiment_log import A"),
        ("ntn", "from experiments.trackers import B", "from runfolio.dialects.ntn.trackers import B"),
        (
            "lab",
            "import os\nfrom ml.tracking.experiment_tracker import C",
            "import os\nfrom runfolio.dialects.lab.tracking.experiment_tracker import C",
        ),
        (
            "lab",
            "python scripts/compare_experiments.py --list",
            "python -m runfolio.dialects.lab.compare_experiments --list",
        ),
        ("lab", "from ml.models.tabular import D", "from ml.models.tabular import D"),
        ("vibe_rl", "from vibe_rl.run_dir import RunDir", "from runfolio.dialects.vibe_rl.run_dir import RunDir"),
        ("vibe_rl", 'name = "vibe_rl.agents"', 'name = "vibe_rl.agents"'),
    ],
)
def test_mapped_changes_what_a_user_changes(system: str, theirs: str, ours: str) -> None:
    """The first words of imports and commands become ours; nothing else changes."""
    assert mapped(theirs, system) == ours
