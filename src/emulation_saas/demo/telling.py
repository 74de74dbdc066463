"""The account for people: in Vietnamese, with the names of the agencies, and marked wherever something is made up."""

from collections.abc import Iterable
from typing import Any, Final

from emulation_saas.demo.account import Account
from emulation_saas.demo.illustrations import MARK
from emulation_saas.demo.library import Library
from emulation_saas.demo.telling_audit import counterfactual, dispute, explained

_AWARDS: Final = {
    "gov_flag": "Cờ thi đua của Chính phủ",
    "prov_flag": "Cờ thi đua của UBND tỉnh",
    "prov_certificate": "Bằng khen của UBND tỉnh",
    "pm_certificate": "Bằng khen của Thủ tướng Chính phủ",
    "excellent_collective": "Tập thể lao động xuất sắc",
}
_OFFICES: Final = {"head": "Trưởng Khối", "deputy": "Phó Trưởng Khối"}
_OPTIONS: Final = {"dong-y": "Đồng ý", "khong-dong-y": "Không đồng ý"}


def told(account: Account, library: Library) -> str:
    """Return the year as a text."""
    sections = [
        _conference(account),
        _section(f"Xếp hạng năm {library.covered} (standings; {MARK})", _standings(library)),
        _section(f"Kiến nghị về điểm năm {library.covered} (dispute; {MARK})", dispute(account, library)),
        _section(f"Vì sao có điểm này (explain; {MARK})", explained(account)),
        _section(f"Nếu không chấm lại (what if; {MARK})", counterfactual(account)),
        _section(f"Đánh giá mức độ hoàn thành nhiệm vụ năm {library.covered} (ratings)", [_ratings(account)]),
        _section(f"Kết quả bỏ phiếu (tallies; {MARK})", _tallies(library)),
        _section(f"Đơn vị dẫn đầu năm {library.covered} (leading unit)", [account.leading_unit]),
        _section(
            f"Đề nghị khen thưởng năm {library.covered} (nominations)",
            [f"{_AWARDS[each.award]}: {each.nominee}" for each in account.nominations],
        ),
        *(
            _section(
                f"Trưởng, Phó Trưởng Khối năm {year} (officers)",
                [f"{_OFFICES[office]}: {name}" for office, name in holders.items()],
            )
            for year, holders in account.offices.items()
        ),
        _section(f"Giao ước thi đua năm {account.pledge.year} (pledge)", _pledge(account, library)),
        _section("Luồng sự kiện cho bên tích hợp (feed)", _followed(account)),
        _section(
            "Nhật ký của tỉnh (log)",
            [
                f"vị trí (position) {account.head_position}",
                f"gốc Merkle (root) {account.root}",
                *(f"chữ ký đã kiểm (signature verified) {key}" for key in account.signed.signed_by),
                "khóa này cũng do dịch vụ cho biết; người kiểm tra cần nhận khóa bằng đường khác (key not covered)",
            ],
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _conference(account: Account) -> str:
    meeting = account.meeting
    chairs = "; ".join(f"{chair.name}, {chair.office}" for chair in meeting.chairs)
    others = "; ".join(meeting.attendance.others)
    launched = ", ".join(str(year) for year in account.launched)
    return _section(
        f"{account.bloc}, {account.province}",
        [
            f"Hội nghị ngày {meeting.held_on}, {meeting.place}",
            f"Đồng chủ trì: {chairs}",
            f"Tham dự: {meeting.attendance.member_units} đơn vị thành viên; {others}",
            f"Phát động phong trào thi đua năm: {launched}",
        ],
    )


def _ratings(account: Account) -> str:
    rated = account.ratings
    return (
        f"{rated.good_or_better}/{rated.of} hoàn thành tốt nhiệm vụ trở lên, trong đó {rated.excellent} "
        "hoàn thành xuất sắc (không nêu tên đơn vị)"
    )


def _followed(account: Account) -> list[str]:
    told = account.followed
    return [
        f"theo dõi từ vị trí 1 đến {told.through}, vai trò (role) integrator: {told.events} sự kiện công khai",
        "đúng thứ tự, không sự kiện nào đến hai lần (in order, none twice)",
        "; ".join(f"{kind} {number}" for kind, number in told.by_kind.items()),
    ]


def _standings(library: Library) -> list[str]:
    rows = [(row["rank"], library.name(row["agency"]), row["points"]) for row in library.standings["standings"]]
    width = max(len(name) for _, name, _ in rows)
    return [f"{rank:>2}. {name:<{width}}  {points:>5}" for rank, name, points in rows]


def _tallies(library: Library) -> list[str]:
    return [line for tally in library.tallies for line in _tally(tally, library)]


def _tally(tally: dict[str, Any], library: Library) -> list[str]:
    counts, is_counted = tally["counts"], tally["state"] == "counted"
    lines = [
        f"{tally['title']}: {counts['collected']}/{counts['electorate']} phiếu, {counts['valid']} hợp lệ"
        + ("" if is_counted else ", đang lấy ý kiến (open)")
    ]
    for question in tally["questions"]:
        chosen = question.get("chosen", [])
        marks = [
            f"{_name(each['option'], library)} {each['votes']}" + (" ✓" if each["option"] in chosen else "")
            for each in sorted(question["options"], key=lambda each: -each["votes"])
            if each["votes"]
        ]
        lines.append(f"  {question['title']}: {'; '.join(marks)}")
    return lines


def _name(option: str, library: Library) -> str:
    return _OPTIONS.get(option) or library.name(option)


def _pledge(account: Account, library: Library) -> list[str]:
    signatures = [
        f"- {library.name(each['agency'])}: {each['signed_by']['name']}, {each['signed_by']['office']}"
        for each in library.pledge["signatures"]
    ]
    unsigned = [f"- chưa ký: {library.name(agency)}" for agency in library.pledge["not_signed"]]
    return [
        f"{account.pledge.signed}/{account.pledge.of} đơn vị đã ký",
        library.pledge["text"],
        *signatures,
        *unsigned,
    ]
