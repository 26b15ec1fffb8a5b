"""Issues in the palette: by chord, title, symptom, or any error text that is typed or pasted there."""

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from console.guides.issue import Issue
from console.guides.search import search_error

if TYPE_CHECKING:
    from screens.app import TriageApp

MOST = 8
SHORTEST = 4
"""Characters from which on a text is looked for: fewer are the beginning of a command's name."""


class IssueProvider(Provider):
    """The issues of the system that fit what is typed, the best first."""

    async def startup(self) -> None:
        self._issues: tuple[Issue, ...] = () if self._triage.without_trees else await self._triage.load_issues()

    async def search(self, query: str) -> Hits:
        text = query.strip()
        by_chord = [issue for issue in self._issues if text.lower() in (issue.chord, issue.id)]
        found = [(issue, "") for issue in by_chord]
        if not found and len(text) >= SHORTEST:
            found = [(item.issue, item.where) for item in search_error(self._issues, text)[:MOST]]
        for place, (issue, where) in enumerate(found):
            shown = Content(f"Walk {issue.chord}: {issue.title}")
            yield Hit(1.0 - place / 100, shown, partial(self._triage.open_issue, issue), issue.title, escape(where or issue.id))

    @property
    def _triage(self) -> "TriageApp":
        return cast("TriageApp", self.app)
