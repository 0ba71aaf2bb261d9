"""Eleven sonnets of William Shakespeare (1609, public domain) as tokens: one for each character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
TEXT = Path(__file__).with_name("sonnets.txt")


class Corpus:
    """The text as numbers; its last tenth is for validation."""

    def __init__(self) -> None:
        text = TEXT.read_text(encoding="utf-8")
        self.characters = sorted(set(text))
        number = {character: place for place, character in enumerate(self.characters)}
        tokens = np.array([number[character] for character in text])
        end = len(tokens) * 9 // 10
        self.parts = {"train": tokens[:end], "val": tokens[end:]}

    @property
    def vocab_size(self) -> int:
        return len(self.characters)

    def batch(self, part: str, batch_size: int, context_length: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Cut sequences out of a part at random: (B, T) tokens, and those that follow each."""
        tokens = self.parts[part]
        begins = rng.integers(0, len(tokens) - context_length, batch_size)
        places = begins[:, None] + np.arange(context_length)
        return tokens[places], tokens[places + 1]

    def text(self, tokens: Array) -> str:
        """Give the text of tokens."""
        return "".join(self.characters[token] for token in tokens)
