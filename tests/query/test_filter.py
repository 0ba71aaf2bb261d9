"""The filter language: what it means, that it agrees with a plain evaluation, that its errors point, and that nothing in it is ever run."""

from __future__ import annotations

import fnmatch
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runfolio
from runfolio.errors import FilterError
from runfolio.query.filter import compile_filter
from runfolio.query.filter.times import seconds_of
from runfolio.store import functions
from runfolio.store.functions import Decoded, fits
from runfolio.store.run_row import to_json

RUNS = [
    {"lr": 0.1, "opt": "sgd", "flag": True, "model": {"width": 8}, "layers": [1, 2]},
    {"lr": 0.01, "opt": "adam", "flag": False, "model": {"width": 16}, "layers": ["a"]},
    {"lr": 1, "opt": 3, "big": 10**30},
    {"lr": None, "opt": "3", "inf": math.inf, "nan": math.nan},
    {},
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store of five runs, made once: their names are their numbers."""
    folder = tmp_path_factory.mktemp("filled")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    for number, params in enumerate(RUNS):
        tags = ["baseline"] if number % 2 else {"team": "ml", "n": str(number)}
        with runfolio.start(
            "even" if number % 2 == 0 else "odd", str(number), params, tags, store=folder, capture=False
        ) as run:
            run.define("loss", goal="min")
            for step in range(4):
                run.log({"loss": number + 1 / (step + 1), "val/acc": number / 10}, step=step)
            if number == 2:
                run.log({"rare": math.nan}, step=9)
            run.summary["test"] = {"acc": number}
    yield runfolio.open_store(folder)
    patch.undo()


@pytest.fixture(scope="module", params=["laid out", "packed"])
def either(filled, request):
    """The same store with its runs laid out for filters, as those are that have come to rest, and with none that is."""
    cache = filled._index.cache
    assert cache.ask("SELECT DISTINCT laid_out FROM runs") == [(1,)]
    cache.db.execute("UPDATE runs SET laid_out = ?", (int(request.param == "laid out"),))
    yield filled
    cache.db.execute("UPDATE runs SET laid_out = 1")


def numbers(store, filter=None, **more):
    return sorted(int(run.name) for run in store.runs(filter, **more))


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("metrics.loss.min < 2 and params.lr in (0.1, 0.01)", [0, 1]),
        ('"baseline" in tags', [1, 3]),
        ('"team=ml" in tags and tags.n == "2"', [2]),
        ('tags.team = "ml" or experiment == "odd"', [0, 1, 2, 3, 4]),
        ('status == "finished" and started > "2 days ago"', [0, 1, 2, 3, 4]),
        ('started < "yesterday"', []),
        ("params.model.width >= 8", [0, 1]),
        ("width > 8", [1]),
        ('name like "?" and not name like "[0-2]"', [0, 1, 2, 3, 4]),
        ('metrics["val/acc"].last > 0.25', [3, 4]),
        ("`val/acc` > 0.25", [3, 4]),
        ("lr is None", [3, 4]),
        ("params.lr is not None and not params.lr > 0.05", [1]),
        ("lr == None", [3, 4]),
        ("lr != 0.1", [1, 2]),
        ("not lr == 0.1", [1, 2, 3, 4]),
        ('opt == "3"', [3]),
        ("opt == 3", [2]),
        ('opt != "sgd"', [1, 2, 3]),
        ('opt < "b"', [1, 3]),
        ("opt < 5", [2]),
        ("flag", [0]),
        ("flag == False", [1]),
        ("not flag", [1, 2, 3, 4]),
        ("2 in params.layers", [0]),
        ('"a" in params.layers', [1]),
        ('"da" in opt', [1]),
        ("0.005 < lr < 0.5", [0, 1]),
        ("lr * 10 + 1 == 2", [0]),
        ("-lr < -0.5", [2]),
        ("1 / lr > 50", [1]),
        ("1 / (lr - lr) > 0", []),
        ("params.lr * 10 == metrics.loss.first", [0]),
        ("big > 1e29", [2]),
        ("inf > 1e300", [3]),
        ("nan is None", [0, 1, 2, 3, 4]),
        ("rare < 1 or rare >= 1", []),
        ("metrics.rare.nan_count == 1", [2]),
        ("metrics.loss.count == 4", [0, 1, 2, 3, 4]),
        ("loss.median < 1", [0]),
        ("metrics.loss.at(3) < 2", [0, 1]),
        ("metrics.loss.at(99) is None", [0, 1, 2, 3, 4]),
        ("metrics.loss.auc > 10", [3, 4]),
        ("metrics.loss.best < 1.5", [0, 1]),
        ("summary.test.acc in [1, 2,]", [1, 2]),
        ("test.acc % 2 == 1", [1, 3]),
        ('name in ("1", "2") && experiment == "odd"', [1]),
        ("attempts == 1 and lost_points == 0 and duration < 60", [0, 1, 2, 3, 4]),
        ("archived or deleted", []),
        ("lr in ()", []),
        ("True", [0, 1, 2, 3, 4]),
        ("", [0, 1, 2, 3, 4]),
    ],
)
def test_meaning(either, text, fit):
    """Each form means what the guide says, of runs that have come to rest and of others."""
    assert numbers(either, text) == fit


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-metrics.loss.max", "43210"),
        ("lr", "10243"),
        ("-lr", "20143"),
        ("experiment, -name", "42031"),
        ("-metrics.loss.median", "43210"),
        ("test.acc * -1", "43210"),
        ("", "43210"),
    ],
)
def test_order(either, sort, order):
    """Runs come in the order asked for; what is missing comes last, and else the newest first."""
    assert "".join(run.name for run in either.runs(sort=sort)) == order
    assert "".join(run.name for run in either.runs(sort=sort, limit=2)) == order[:2]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("valloss < 3", 0, "called 'valloss'"),
        ("lr < 3 and metrics.los.min < 1", 11, "did you mean 'loss'"),
        ("params.lrr = 1", 0, "did you mean 'lr'"),
        ("lr < ", 5, "missing at the end"),
        ('status = "finshed"', 9, "did you mean 'finished'"),
        ('status in ("finished", "done")', 23, "'done'"),
        ("(lr = 1", 7, "not closed"),
        ('started > "foo"', 10, "no moment"),
        ("lr = 'a", 5, "no end"),
        ("lr ~ 3", 3, "means nothing"),
        ("metrics.loss.foo > 1", 0, "no 'foo'"),
        ("metrics.loss.at > 1", 0, "needs a step"),
        ("params.lr(3) > 1", 0, "at a step"),
        ("metrics.rare.best > 1", 0, "run.define"),
        ("tags", 0, "in tags"),
        ("lr < None", 3, "is None"),
        ("lr like 3", 8, "pattern"),
        ("3 in 4", 5, "behind 'in'"),
        ("[1] = lr", 0, "not expected"),
        ("metrics", 0, "needs a name"),
        ("(" * 100 + "lr", 65, "levels"),
        ("x" * 20_000, 0, "characters"),
        ("lr is 3", 6, "behind 'is'"),
        ("1", 0, "no condition"),
    ],
)
def test_error_points(filled, text, column, says):
    """What cannot be understood is told with its column and what to do."""
    with pytest.raises(FilterError) as wrong:
        filled.runs(text)
    assert says in str(wrong.value)
    assert wrong.value.column == column
    assert str(wrong.value).splitlines()[-1].index("^") - 2 == min(column, 60)


def test_A15_nothing_is_evaluated(filled):
    """Python in a filter is refused, at its column; nothing of it runs."""
    for text in (
        "().__class__.__base__.__subclasses__()",
        '"{0.__class__.__init__.__globals__}".format(run)',
        "run.__dict__",
        "[c for c in (1,) if exec('…')]",
        "__import__('os').system('id')",
        "lambda: 1",
        "lr if 1 else 2",
        "params['lr'].__class__",
    ):
        with pytest.raises(FilterError):
            filled.runs(text)
        with pytest.raises(FilterError):
            filled.runs(sort=text)


def test_A16_no_sql_of_the_user(filled):
    """SQL in a filter, a name or an order is an error or means its letters; the table stands afterwards."""
    for text in (
        "metrics.a > 1; DROP TABLE runs--",
        'metrics.`a" OR 1=1--` > 0',
        "lr > (SELECT 1)",
        "lr = 1 UNION SELECT * FROM runs",
        "metrics.loss.min DESC, (SELECT 1)",
        "' OR 1=1 --",
        "random()",
        "lr = 1 /* x */",
    ):
        with pytest.raises(FilterError):
            filled.runs(text)
        with pytest.raises(FilterError):
            filled.runs(sort=text)
    for text in (
        "name like '%\\' OR \\'1\\'=\\'1'",
        "name = 'x\\' OR \\'1\\'=\\'1'",
        "name = '\\0'",
        'tags["a\\" OR 1=1"] = "x"',
    ):
        try:
            assert numbers(filled, text) == []
        except FilterError as error:
            assert "tag" in str(error)
    assert numbers(filled) == [0, 1, 2, 3, 4]


def test_A16_values_are_parameters():
    """Nothing that a user writes stands in the SQL: its text has only our own words."""
    known = {family: frozenset() for family in ("params", "metrics", "summary", "tags", "goals")}
    text = "params.evil_key = 'evil_value' and metrics.evil_metric > 666.5 and name like 'evil*' and 777 in params.evil"
    condition = compile_filter(text, known)
    assert not any(word in condition.sql for word in ("evil", "666", "777"))


def test_a_settled_run_is_found_without_decoding(filled):
    """A question about params, tags, summary values and the common numbers of metrics calls no Python for runs that have come to rest."""

    def called(*_):
        raise AssertionError("a packed column was decoded")

    cache = filled._index.cache
    try:
        for name, arguments in (("metric", 4), ("param", 3), ("told", 4)):
            cache.db.create_function(name, arguments, called)
        text = "loss.min < 9 and loss.max < 99 and params.lr > 0.05 and test.acc >= 0"
        assert [run.name for run in filled.runs(text, sort="-metrics.loss.last")] == ["2", "0"]
        assert numbers(filled, 'tags.team == "ml" and opt == 3') == [2]
    finally:
        functions.register(cache.db)


def test_a_run_that_is_known_is_not_read_again(filled):
    """A second question in the same process reads of the runs that it knows nothing but whether they have changed."""
    before = {run.id: run for run in filled.runs()}
    asked = []
    cache = filled._index.cache
    cache.db.set_trace_callback(asked.append)
    try:
        found = filled.runs("loss.max < 3.5", sort="loss.max")
    finally:
        cache.db.set_trace_callback(None)
    assert [run.name for run in found] == ["0", "1", "2"]
    assert all(before[run.id] is run for run in found)
    assert not [sql for sql in asked if "summaries END" in sql]


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*b", "%a%a%a%a%b", "?" * 900 + "*b", "(a+)+$"])
def test_A48_patterns_take_no_longer_than_their_lengths(pattern):
    """A pattern made to hang is answered: it looks at each place at most once for each letter of the pattern."""
    looked = 0

    class Counted(str):
        def __getitem__(self, at):
            nonlocal looked
            looked += 1
            return str.__getitem__(self, at)

    text = "a" * 5_000
    assert fits(Counted(text), pattern) == fnmatch.fnmatchcase(text[:50], pattern[:0] or "nothing")
    assert looked <= len(text) * (len(pattern) + 2)


def test_A48_big_questions_are_refused(filled):
    """A filter of a million letters, or of a thousand levels, is refused before anything is asked."""
    for text in ("lr = 1 or " * 100_000 + "lr = 1", "not " * 1000 + "flag", "-" * 1000 + "lr = 1", "(" * 10_000):
        with pytest.raises(FilterError):
            filled.runs(text)
    assert numbers(filled, " or ".join(["lr = 1"] * 900)) == [2]


@pytest.mark.parametrize(
    "params",
    [
        {"lr": 1},
        {"a": '"lr":7', "lr": 1},
        {"a": ['"lr":7', {"lr": 9}], "lr": 1},
        {"x.lr": 5, '"lr': 6, "lr": 1},
        {"a": "{", "lr": 1},
        {"a": math.nan, "lr": 1},
    ],
)
def test_param_is_found_whatever_stands_beside(params):
    """A param is the one of its key, not what looks like it inside of text, of a list or of another key."""
    assert Decoded().param(to_json(params), "lr", "") == 1
    assert Decoded().param(to_json({**params, "lr": None}), "lr", "") is None
    assert Decoded().param(to_json({key: value for key, value in params.items() if key != "lr"}), "lr", "") is None


def test_empty_store_lets_any_name_pass(tmp_path):
    """Where there is no run yet, no name can be wrong: the answer is nothing."""
    runfolio.start(capture=False).finish()
    store = runfolio.open_store()
    assert store.runs("metrics.loss < 1 and params.lr = 2") == []


@pytest.mark.parametrize(
    ("text", "ago"),
    [("2 days ago", 172_800), ("90 min", 5_400), ("1h", 3_600), ("now", 0), ("1.5 weeks ago", 907_200)],
)
def test_moments(text, ago):
    """How long ago is counted from now."""
    assert seconds_of(text, 1e9) == 1e9 - ago


def test_dates():
    """Dates stand for their midnight, local unless they name a zone."""
    assert seconds_of("2001-09-09T01:46:40Z", 0.0) == 1e9
    assert seconds_of("2001-09-09 03:46:40+02:00", 0.0) == 1e9
    assert seconds_of("2001-13-01", 0.0) is None


# ------------------------------------------------------------------------------------- against a plain evaluation


class Missing(Exception):
    pass


FIELDS = {
    "params.lr": lambda n: RUNS[n].get("lr"),
    "params.opt": lambda n: RUNS[n].get("opt"),
    "params.flag": lambda n: RUNS[n].get("flag"),
    "params.model.width": lambda n: RUNS[n].get("model", {}).get("width"),
    "metrics.loss.last": lambda n: n + 0.25,
    "metrics.loss.max": lambda n: n + 1.0,
    "name": lambda n: str(n),
    "summary.test.acc": lambda n: n,
}
literals = st.one_of(
    st.sampled_from([0, 1, 3, 0.1, 0.01, 8, 2.25, -1, 1e300]),
    st.sampled_from(["sgd", "3", "adam", "", "0", "é", "it's", 'q"']),
)


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else repr(value)


@st.composite
def sums(draw, depth=2):
    kind = draw(st.integers(0, 3 if depth else 1))
    if kind == 0:
        value = draw(literals)
        return quoted(value), lambda n: value
    if kind == 1:
        name = draw(st.sampled_from(sorted(FIELDS)))
        return name, FIELDS[name]
    (a, f), (b, g) = draw(sums(depth=depth - 1)), draw(sums(depth=depth - 1))
    op = draw(st.sampled_from("+-*/"))

    def value(n):
        left, right = f(n), g(n)
        if not all(isinstance(x, int | float) for x in (left, right)):
            return None
        try:
            found = {"+": left + right, "-": left - right, "*": left * right}[op] if op != "/" else left / right
        except (ZeroDivisionError, OverflowError):
            return None
        return None if found != found else float(found)

    return f"({a} {op} {b})", value


def compared(left, op, right):
    if left is None or right is None:
        return False
    if isinstance(left, str) != isinstance(right, str):
        return op == "!="
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[op]


@st.composite
def filters(draw, depth=3):
    kind = draw(st.integers(0, 6 if depth else 2))
    if kind <= 1:
        (a, f), (b, g) = draw(sums()), draw(sums())
        op = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
        return f"{a} {op} {b}", lambda n: compared(f(n), op, g(n))
    if kind == 2:
        a, f = draw(sums(depth=1))
        return f"{a} is None", lambda n: f(n) is None
    if kind == 3:
        a, f = draw(sums(depth=1))
        items = draw(st.lists(literals, max_size=3))
        listed = ", ".join(map(quoted, items))
        return f"{a} in [{listed}]", lambda n: any(compared(f(n), "==", item) for item in items)
    if kind == 4:
        a, f = draw(filters(depth=depth - 1))
        return f"not ({a})", lambda n: not f(n)
    (a, f), (b, g) = draw(filters(depth=depth - 1)), draw(filters(depth=depth - 1))
    if kind == 5:
        return f"({a}) and ({b})", lambda n: f(n) and g(n)
    return f"({a}) or ({b})", lambda n: f(n) or g(n)


@settings(max_examples=300)
@given(filters())
def test_agrees_with_a_plain_evaluation(either, pair):
    """Any filter gives the runs that evaluating it in Python, run by run, gives."""
    text, holds = pair
    assert numbers(either, text) == [number for number in range(len(RUNS)) if holds(number)]


@given(st.text("abc*?", max_size=12), st.text("abc", max_size=12))
def test_patterns_agree_with_fnmatch(pattern, text):
    """`*` and `?` mean what they mean to a shell."""
    assert fits(text, pattern) == fnmatch.fnmatchcase(text, pattern)


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab(1).\"'[]<=>!-+*/, \n\0\\`not in is like and or Nonemetrics.params"), max_size=40))
def test_any_text_is_a_filter_or_an_error(filled, text):
    """No text makes anything but a list or a FilterError."""
    try:
        filled.runs(text)
        filled.runs(sort=text)
    except FilterError:
        pass


def test_a_name_that_looks_like_arithmetic_is_offered_as_it_is_typed():
    """Who types val/acc, which is a division, is told to put it into backticks; so written it is found."""
    with runfolio.start(capture=False) as run:
        run.log({"val/acc": 0.9})
    store = runfolio.open_store()
    for text in ("val/acc > 0.5", "metrics.val/acc > 0.5"):
        with pytest.raises(FilterError, match="did you mean `val/acc`, in backticks") as told:
            store.runs(text)
        assert "'val/acc'" not in str(told.value)
    assert len(store.runs("`val/acc` > 0.5")) == len(store.runs("metrics.`val/acc`.last > 0.5")) == 1
