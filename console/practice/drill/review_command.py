"""`triage drill review` and `triage drill history`."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TextIO

from console.config import Config
from console.guides.issue import Issue
from console.guides.loader import read_guides
from console.practice.drill.rounds import Round, all_rounds
from console.problem import Problem, Problems


def review_command(config: Config, name: str | None, *, as_json: bool, out: TextIO, folder: Path | None = None) -> int:
    """Print the review of a round, by its id or the end of it; the newest that has ended without one. From its folder alone.

    Raises Problems for a round that there is not, or that is still being played: its truth is nobody's business yet.
    """
    from console.practice.drill.looking_back import review_of
    from console.practice.drill.review import as_json as json_of
    from console.practice.drill.review_text import as_markdown

    round_ = chosen_round(name, folder)
    review = review_of(round_, issues_for_round(config, round_))
    print(json_of(review) if as_json else as_markdown(review), file=out, end="\n" if as_json else "")
    return 0


def history_command(config: Config, person: str | None, *, as_json: bool, out: TextIO, folder: Path | None = None) -> int:
    """Print what was practised, by everybody or one person."""
    from console.practice.drill.history import History, history_of, rounds_played
    from console.practice.drill.history_text import as_text

    played = rounds_played(all_rounds(folder))
    known = sorted({item.person for item in played})
    if person is not None and person not in known:
        raise Problems([Problem("--person", 1, 1, f"{person!r} has played no round", f"Known: {', '.join(known) or 'nobody'}.")])

    @cache
    def issues(system: str) -> Sequence[Issue]:
        return issues_of_system(config, system)

    history = history_of(played, issues, person)
    if as_json:
        from pydantic import TypeAdapter

        print(TypeAdapter(History).dump_json(history, indent=1).decode(), file=out)
    else:
        print(as_text(history), file=out)
    return 0


def chosen_round(name: str | None, folder: Path | None = None) -> Round:
    """The round of that id, or whose id ends so; the newest that has ended when none is named. Raises Problems."""
    rounds = all_rounds(folder)
    if name is None:
        found = [round_ for round_ in rounds if round_.ended][:1]
    else:
        found = [round_ for round_ in rounds if round_.id == name] or [round_ for round_ in rounds if round_.id.endswith(name)]
    if len(found) != 1:
        what = "no round has ended yet" if name is None else f"{'no' if not found else 'more than one'} round is called {name!r}"
        newest = ", ".join(round_.id for round_ in rounds[:5])
        raise Problems(
            [Problem("ROUND", 1, 1, what, f"The newest are: {newest}." if newest else "Play one: triage drill start.")]
        )
    if not found[0].ended:
        advice = "Its referee still has it." if found[0].held else "Nobody referees it any more: triage drill heal."
        raise Problems([Problem("ROUND", 1, 1, f"{found[0].id} has not ended", advice)])
    return found[0]


def issues_for_round(config: Config, round_: Round) -> Sequence[Issue]:
    """The issues of the system that a round was played on; none when the configuration does not know it."""
    told = next((entry for entry in round_.public().entries() if entry["kind"] == "round"), {})
    return issues_of_system(config, str(told.get("system")))


def issues_of_system(config: Config, name: str) -> Sequence[Issue]:
    """The sound issues of a system's guides."""
    system = config.systems.get(name)
    return read_guides(system.guides).issues if system is not None else ()
