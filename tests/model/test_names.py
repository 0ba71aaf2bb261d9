"""Names round-trip as they are, or are refused by one rule; what a terminal shows cannot drive it."""

from __future__ import annotations

import enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import InvalidValue
from runfolio.model.ids import is_id, new_id, short
from runfolio.model.names import NAME_BYTES_MAX, check_key, check_name, printable, shown
from runfolio.model.strict_json import dumps, loads

HARD_NAMES = [
    ".", "..", "/", "a//b", "a/../b", " lead", "trail ", "\\", "two\nlines", "%2f", "CON", "nul.txt", ":", "🙂", "👩‍🔬",
    "שלום", "\u202eevil", "e\u0301", "\u00e9", "Loss", "loss", "LOSS", "__proto__", "constructor",
    "'; DROP TABLE runs--", "<script>alert(1)</script>", "{{7*7}}", "${HOME}", "%(x)s", "{0.__class__}", "-rf", "=1+1",
    "\x1b[2J", "a" * 10_000, "\ufeff", "\u200b", "\x7f", "\x85", "\u2028", "$float", "$$", "0", "NaN", "null", "true",
]  # fmt: skip

any_text = st.text(st.characters(), max_size=40)  # surrogates too


def by_rule(name: str) -> bool:
    """Say by the documented rule, in other words than the code's, whether a name is accepted."""
    data = name.encode("utf-8", "surrogatepass")
    return (
        1 <= len(data) <= NAME_BYTES_MAX
        and b"\0" not in data
        and not any("\ud800" <= char <= "\udfff" for char in name)
    )


@pytest.mark.parametrize("name", HARD_NAMES, ids=lambda name: ascii(name[:20]))
def test_F44_hard_names_come_back_verbatim(name: str) -> None:
    """A name that looks like a path, markup, SQL or an empty line is a name like any other."""
    assert check_key(name) == name
    assert check_name(name) == name
    assert list(loads(dumps({name: 1}))) == [name]


def test_F44_hard_names_stay_apart() -> None:
    """Names that differ by case, form of Unicode or space are different names."""
    names = [*HARD_NAMES, "loss ", " loss", "a/b", "a//b/"]
    assert len({check_key(name) for name in names}) == len(names)


def check_by_rule(name: str) -> None:
    """Check that a name comes back as it is, or is refused where the rule says so, with an error that can be printed."""
    if by_rule(name):
        assert check_key(name) == name
        assert list(loads(dumps({name: {name: name}}))[name]) == [name]
    else:
        with pytest.raises(InvalidValue) as caught:
            check_key(name)
        str(caught.value).encode()


@settings(max_examples=10_000)
@given(any_text)
def test_F44_names_round_trip_or_are_refused(name: str) -> None:
    """Any text at all is a name that comes back as it is, or is refused by the one rule."""
    check_by_rule(name)


@pytest.mark.long
@settings(max_examples=100_000)
@given(any_text)
def test_F44_a_hundred_thousand_names(name: str) -> None:
    """The same for a hundred thousand texts."""
    check_by_rule(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("a\0b", "NUL"),
        ("\ud800", "surrogate"),
        ("x" * (NAME_BYTES_MAX + 1), "16,385 bytes"),
        ("🙂" * 5_000, "20,000 bytes"),
        (7, "int"),
        (None, "NoneType"),
        (b"loss", "bytes"),
    ],
)
def test_F44_refusals_say_why(name: object, why: str) -> None:
    """The error says what is wrong with the name, in one short line of printable text."""
    with pytest.raises(InvalidValue, match=why) as caught:
        check_key(name, "metric key")
    message = str(caught.value)
    assert message.startswith("metric key") and message.isprintable() and len(message) < 200


def test_longest_name_is_accepted() -> None:
    """The bound counts bytes, and itself is inside."""
    assert check_key("é" * (NAME_BYTES_MAX // 2)) == "é" * (NAME_BYTES_MAX // 2)


def test_text_enum_is_its_characters() -> None:
    """A key that is an enum of text counts as its text, and comes back as plain str."""

    class Split(str, enum.Enum):  # noqa: UP042  a StrEnum would answer str() with its text
        TRAIN = "train"

    assert type(check_key(Split.TRAIN)) is str
    assert check_key(Split.TRAIN) == "train"


@given(any_text)
def test_A33_printable_text_drives_no_terminal(text: str) -> None:
    """Nothing that is shown moves the cursor, turns the direction of writing, hides or breaks the encoding."""
    seen = printable(text)
    assert seen.replace("\u200c", "").replace("\u200d", "").isprintable()
    seen.encode()
    if text.isprintable() and text.isascii():
        assert seen == text


def test_A33_known_attacks_are_shown_escaped() -> None:
    """Escape sequences, carriage returns and bidirectional overrides are seen as what they are."""
    assert printable("\x1b]52;c;x\a") == "\\x1b]52;c;x\\x07"
    assert printable("a\nb\rc\td") == "a\\nb\\rc\\td"
    assert printable("\u202etxt.exe") == "\\u202etxt.exe"
    assert printable("\u2028\U000e0041\ud800\x85") == "\\u2028\\U000e0041\\ud800\\x85"


def test_A33_a_tower_of_marks_is_cut() -> None:
    """A hundred thousand combining marks on one letter do not cover the screen."""
    tower = "e" + "\u0301" * 100_000
    assert printable(tower[:100]).count("\u0301") == 8
    assert len(printable(tower, 50)) == 50


def test_readable_text_stays_readable() -> None:
    """Letters of any script, accents and joined emoji are shown as they are."""
    for text in ("e\u0301té", "שלום", "👩‍🔬 ran", "می‌خواهم"):
        assert printable(text) == text


@given(any_text, st.integers(0, 30))
def test_limit_bounds_what_is_shown(text: str, limit: int) -> None:
    """With a limit at most that many characters are shown, and a cut is marked."""
    seen = printable(text, limit)
    whole = printable(text)
    assert len(seen) <= limit
    assert seen == whole if len(whole) <= limit else seen == "" or seen.endswith("…")


def test_shown_survives_a_broken_repr() -> None:
    """A value whose repr raises still has a place in an error message."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(Broken()) == "<Broken>"
    assert len(shown("x" * 10**6)) <= 60


def test_ids_are_random_and_recognised() -> None:
    """An id is 32 lower-case hex digits, and nothing else is one."""
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000 and all(map(is_id, ids))
    one = new_id()
    assert short(one) == one[:8]
    for wrong in (one[:-1], one + "0", "A" * 32, one[:31] + "\n", "g" * 32, "0" * 15 + "/" + "0" * 16, 7, None):
        assert not is_id(wrong)
