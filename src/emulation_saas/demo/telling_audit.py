"""What the account for people says of the dispute, of why and what if. All is made up; the titles bear the mark."""

from emulation_saas.demo.account import Account
from emulation_saas.demo.auditing import PlaceTold
from emulation_saas.demo.library import Library


def dispute(account: Account, library: Library) -> list[str]:
    """Return the dispute from filing to corrected standings, and what its dossier proves."""
    told, case = account.dispute, library.dispute
    return [
        f"{told.agency} kiến nghị (files) {told.dispute} về sự kiện (event) {_listed(told.contested)}: {case['text']}",
        *(
            f"- minh chứng (evidence): {each['evidence']['title']}, sha256 {each['evidence']['sha256']}"
            for each in case["evidence"]
        ),
        *(f"- trả lời (answer), sự kiện {each['position']}: {each['text']}" for each in case["answers"]),
        f"- chấp nhận ({told.state}), sự kiện {told.decided}: {case['decision']['reasons']}",
        f"- chấm lại (corrections), sự kiện {_listed(told.corrections)}",
        f"- trước (before), tại vị trí {told.before.position}: {_place(told.before)}",
        f"- sau (after), tại vị trí {told.after.position}: {_place(told.after)}",
        f"- hồ sơ (dossier): đã kiểm ngoại tuyến sự kiện (events verified offline) {_listed(told.dossier.proved)}",
    ]


def explained(account: Account) -> list[str]:
    """Return one figure, down to its events."""
    told = account.explained
    return [
        f"{told.figure} = {told.value}, theo quy tắc (by rule) {told.rule}",
        *(f"- {each.figure} = {each.value} ← sự kiện (event) {_listed(each.events)}" for each in told.inputs),
        *(
            f"sự kiện {each.position} {each.type}: có trong nhật ký, đã kiểm ngoại tuyến (proof verified offline)"
            for each in told.events
        ),
    ]


def counterfactual(account: Account) -> list[str]:
    """Return where the member would stand."""
    told = account.counterfactual
    return [
        f"Giả định, không phải sự thật (counterfactual): không có sự kiện (without events) {_listed(told.without)}",
        f"- {told.agency}, thực tế (actual): {_place(told.actual)}",
        f"- {told.agency}, giả định (supposed): {_place(told.supposed)}",
    ]


def _listed(positions: list[int]) -> str:
    return ", ".join(str(position) for position in positions)


def _place(place: PlaceTold) -> str:
    return f"hạng (rank) {place.rank}, {place.points} điểm"
