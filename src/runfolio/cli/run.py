"""`runfolio run`: run a script as a tracked run."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from runfolio.errors import UsageError


class _ScriptCommand(click.Command):
    """A command whose options may stand before the script and right behind it; the first word that is none of them begins the script's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours, scripts = split_words(args, _options_of(self))
        return super().parse_args(ctx, [*ours, "--", *scripts] if scripts else ours)


def split_words(words: list[str], options: dict[str, bool]) -> tuple[list[str], list[str]]:
    """Part the words of a command line into our options, and the script with its arguments.

    Args:
        options: of each of ours, whether it takes a value.
    """
    ours: list[str] = []
    script: list[str] = []
    has_script = False
    at = 0
    while at < len(words):
        word = words[at]
        taken = _words_of_option(word, options)
        if at + taken > len(words):  # its value is missing: click says so
            return words, []
        if taken:
            ours += words[at : at + taken]
            has_script = has_script or word.startswith(("-m", "--module"))
        elif word == "--":
            return ours, [*script, *words[at + 1 :]]
        elif has_script or (word.startswith("-") and word != "-"):
            if not has_script:  # an option that is not ours: click says so
                return [*ours, *words[at:]], []
            return ours, [*script, *words[at:]]
        else:
            script, has_script, taken = [word], True, 1
        at += taken
    return ours, script


def _words_of_option(word: str, options: dict[str, bool]) -> int:
    """Say how many words one of our options takes here; 0 where this is none."""
    if word in options:
        return 1 + options[word]
    name, equals, _ = word.partition("=")
    if word.startswith("--"):
        return int(bool(equals) and options.get(name, False))
    return int(len(word) > 2 and word.startswith("-") and options.get(word[:2], False))


def _options_of(command: click.Command) -> dict[str, bool]:
    found = {"-h": False, "--help": False}
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            found.update(dict.fromkeys(parameter.opts, not parameter.is_flag))
    return found


@click.command(cls=_ScriptCommand, name="run", options_metavar="[OPTIONS]")
@click.option("-p", "--param", "params", metavar="KEY=VALUE", multiple=True, help="A param. Repeat it for more.")
@click.option("-n", "--name", metavar="NAME", help="The run's name.")
@click.option("-t", "--tag", "tags", metavar="TAG", multiple=True, help="A tag, KEY or KEY=VALUE. Repeat it for more.")
@click.option("-d", "--notes", metavar="NOTES", help="Free text about the run.")
@click.option(
    "-e", "--experiment", metavar="EXPERIMENT", help="The set of runs it belongs to; by default the script's name."
)
@click.option("-c", "--config", metavar="CONFIG", help="A YAML, JSON or TOML file of params; -p goes before it.")
@click.option("-m", "--module", metavar="MODULE", help="Run a module, as python -m does, in the place of SCRIPT.")
@click.argument("words", metavar="SCRIPT [ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
def command(
    params: tuple[str, ...],
    name: str | None,
    tags: tuple[str, ...],
    notes: str | None,
    experiment: str | None,
    config: str | None,
    module: str | None,
    words: tuple[str, ...],
) -> int:
    """Run a Python script as a tracked run.

    \b
      runfolio run train.py -p lr=0.01 -p model.layers=4
      runfolio run train.py -c config.yaml -p epochs=20 -n "longer" -t baseline
      runfolio run -p seed=1 train.py --its-own-option 5
      runfolio run -m package.train -p lr=0.01 -- -p "an option of the script's own"

    Options stand before SCRIPT or right behind it. The first word there that is none of them, or --, begins the script's own
    arguments; they are handed on untouched.

    The value of a param is an int, a float, a bool (true, false), null, a list ([1, 2]), or else text; quotes make it text. The script
    reads them by runfolio.get_param("lr", 0.1). Dots nest: model.layers.

    Output is shown as it comes and kept in the run's folder. The exit code is the script's own. Ctrl-C is the script's to handle, a second
    one is a SIGTERM, a third ends it.
    """
    if os.name != "posix":
        raise UsageError("runfolio run needs Linux or macOS; here, start the script with python: it tracks itself")
    from runfolio.launch.script import module_named, script_at
    from runfolio.launch.scripts import run_script
    from runfolio.launch.told_params import told_params
    from runfolio.sdk.launched import About

    if module is not None:
        script = module_named(module, words)
    elif words:
        script = script_at(words[0], words[1:])
    else:
        raise UsageError("name a script: runfolio run SCRIPT, or a module: runfolio run -m MODULE")
    chosen = experiment or os.environ.get("RUNFOLIO_EXPERIMENT")
    about = About(
        chosen or script.stem or "default", name, told_params(params, config), _tags(tags), notes, by_default=not chosen
    )
    return run_script(script, about)


def _tags(words: Iterable[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}
