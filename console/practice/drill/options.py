"""The options of `triage drill`; imports nothing heavy, for every start of Triage reads them."""

import argparse

SEVERITIES = ("critical", "high", "medium", "low")


def add_options(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Add what can be done with drills."""
    actions = parser.add_subparsers(metavar="ACTION", title="actions", dest="action", required=True)

    def action(name: str, words: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=[common], help=words, description=words)

    action("list", "the scenarios, and how often each was practised; never their causes")
    start = action("start", "break a stack, measure the responder, mend it")
    start.add_argument("scenario", metavar="SCENARIO", nargs="?", default="random", help="its id, or random (without repeats)")
    start.add_argument("--stack", choices=["simulated", "lab"], help="where it is played (default: simulated, if it can be)")
    start.add_argument("--severity", choices=SEVERITIES, help="only scenarios of this severity")
    start.add_argument("--family", metavar="LETTERS", default="", help="only causes whose chord begins so: c for c1, c2 …")
    start.add_argument("--seed", metavar="N", type=int, help="the same seed and the same past give the same round")
    start.add_argument("--person", metavar="NAME", help="who practises (default: your login)")
    start.add_argument(
        "--facilitate", action="store_true", help="referee a round on the lab; the trainee types `triage drill join`"
    )
    action("join", "the trainee's console of the round that a facilitator runs on this host")
    action("status", "which round is being played, and which was broken off and waits to be healed")
    action("heal", "mend what a round broke whose referee is gone; may be run again at any time")
    review = action("review", "look back at a round: timeline, evidence, grade with its reasons, debriefing")
    review.add_argument("round", metavar="ROUND", nargs="?", help="its id or the end of it (default: the newest)")
    review.add_argument("--json", action="store_true", help="one JSON object")
    replay = action("replay", "play a recorded round again in the normal panes")
    replay.add_argument("round", metavar="ROUND", nargs="?", help="its id or the end of it (default: the newest)")
    replay.add_argument("--speed", metavar="N", type=float, default=1.0, help="so many times as fast (default: 1)")
    history = action("history", "every round, best and median by scenario, and what was never practised")
    history.add_argument("--person", metavar="NAME", help="only this person's")
    history.add_argument("--json", action="store_true", help="one JSON object")
