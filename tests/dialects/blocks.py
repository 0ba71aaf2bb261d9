"""The five documents' code blocks, numbered, and their imports turned into ours.

Each dialect's tests sort the blocks of its document into run as it is, run with stand-ins, checked as a signature, illustration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

DOCUMENTS = Path(__file__).with_name("documents")
SYSTEMS = ("yanex", "cs336", "ntn", "lab", "vibe_rl")

# What a user changes: the first word of an import, or of a command. (Issue text and docs/coming-from say the same.)
CHANGES = {
    "yanex": (
        (r"^(\s*)import yanex\b", r"\1from runfolio.dialects import yanex"),
        (r"^(\s*)yanex (?=[a-z])", r"\1runfolio "),
    ),
    "cs336": ((r"^(\s*(?:from|import)\s+)cs336_basics\.", r"\1runfolio.dialects.cs336."),),
    "ntn": ((r"^(\s*(?:from|import)\s+)experiments\.trackers\b", r"\1runfolio.dialects.ntn.trackers"),),
    "lab": (
        (r"^(\s*(?:from|import)\s+)ml\.tracking\b", r"\1runfolio.dialects.lab.tracking"),
        (r"\bpython scripts/compare_experiments\.py\b", "python -m runfolio.dialects.lab.compare_experiments"),
    ),
    "vibe_rl": ((r"^(\s*(?:from|import)\s+)vibe_rl\.", r"\1runfolio.dialects.vibe_rl."),),
}


@dataclass(frozen=True)
class Block:
    """A fenced code block: its number in the document from 1, its text, and the line of the document where its fence opens."""

    number: int
    language: str
    text: str
    heading: str
    line: int


def blocks_of(system: str) -> list[Block]:
    """Read the code blocks of a system's document, in order; `heading` is the nearest one above."""
    tokens = MarkdownIt().parse((DOCUMENTS / f"{system}.md").read_text(encoding="utf-8"))
    blocks: list[Block] = []
    heading = ""
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            heading = token.content
        if token.type == "fence":
            language = token.info.split(" ")[0]
            blocks.append(Block(len(blocks) + 1, language, token.content, heading, (token.map or [0])[0] + 1))
    return blocks


def mapped(text: str, system: str) -> str:
    """Give a document's text with its imports and commands replaced by ours, and nothing else."""
    for old, new in CHANGES[system]:
        text = re.sub(old, new, text, flags=re.MULTILINE)
    return text
