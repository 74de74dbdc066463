"""The service's documents of one bloc's year and the next: what the account is read from."""

from typing import Any

from emulation_saas.demo.player import Api
from emulation_saas.demo.scene import ADMIN

_Json = dict[str, Any]


class Library:
    """The documents of one bloc's year and the next, all as of one position."""

    def __init__(self, api: Api, *, province: str, bloc: str, head: int) -> None:
        """Read them.

        Args:
            api: the service.
            province: its handle.
            bloc: its handle; the years are those that the bloc's meeting covers and plans.
            head: the position as of which everything is read, whatever has happened since.
        """
        self._api = api
        self._bloc = f"/blocs/{bloc}"
        self.at = f"/provinces/{province}"
        """The province's path."""
        self.head = head
        self.read: dict[str, _Json] = {}
        """Every document that tells something by itself, by what it is, in the order of reading."""
        self.province = self._document("province", "/")
        self.bloc = self._document("bloc", self._bloc)
        self.years = self._get(f"{self._bloc}/years")
        of_year = {line["year"]: self._of(line["year"], "year", "") for line in self.years["years"]}
        self.meeting: _Json = next(
            meeting for year in of_year.values() for meeting in year["meetings"] if "covers_year" in meeting
        )
        self.covered: int = self.meeting["covers_year"]
        self.planned: int = self.meeting["plans_year"]
        self.year = f"{self._bloc}/years/{self.covered}"
        """The path of the year that the meeting covers."""
        self.standings = self._of(self.covered, "standings", "/standings")
        (line,) = self._get(f"{self.year}/disputes")["disputes"]
        self.dispute = self._document(f"dispute {line['dispute']}", f"{self.year}/disputes/{line['dispute']}")
        self.ratings = self._of(self.covered, "ratings", "/ratings")
        self.tallies = [
            self._document(f"ballot {line['ballot']}", f"{ballots}/{line['ballot']}/tally")
            for ballots in (f"{self._bloc}/years/{year}/ballots" for year in of_year)
            for line in self._get(ballots)["ballots"]
        ]
        self.nominations = self._of(self.covered, "nominations", "/nominations")
        self.offices = self._of(self.planned, "offices", "/offices")
        self.pledge = self._of(self.planned, "pledge", "/pledge")
        self._names: dict[str, str] = {member["agency"]: member["name"] for member in self.bloc["members"]}

    def name(self, agency: str) -> str:
        """Return an agency's name today; for what is no member, the handle itself."""
        return self._names.get(agency, agency)

    def _of(self, year: int, what: str, path: str) -> _Json:
        return self._document(f"{what} {year}", f"{self._bloc}/years/{year}{path}")

    def _document(self, what: str, path: str) -> _Json:
        document = self.read[what] = self._get(path)
        return document

    def _get(self, path: str) -> _Json:
        return self._api.get(f"{self.at}{path}".rstrip("/"), by=ADMIN, as_of=self.head)
