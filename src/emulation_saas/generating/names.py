"""What things are called: plausible agencies, criteria, reasons. Persons are called by what they do."""

import unicodedata
from functools import cache
from typing import Final

DEPARTMENTS: Final = (
    *("Văn phòng UBND tỉnh", "Thanh tra tỉnh", "Sở Nội vụ", "Sở Tư pháp", "Sở Tài chính", "Sở Xây dựng"),
    *("Sở Công Thương", "Sở Nông nghiệp và Môi trường", "Sở Y tế", "Sở Giáo dục và Đào tạo"),
    *("Sở Khoa học và Công nghệ", "Sở Văn hóa, Thể thao và Du lịch", "Sở Dân tộc và Tôn giáo", "Sở Ngoại vụ"),
    *("Ban Quản lý Khu kinh tế", "Văn phòng Đoàn ĐBQH và HĐND tỉnh", "Văn phòng Tỉnh ủy", "Ban Tổ chức Tỉnh ủy"),
    *("Ban Nội chính Tỉnh ủy", "Ban Tuyên giáo và Dân vận Tỉnh ủy", "Ủy ban Kiểm tra Tỉnh ủy", "Trường Chính trị tỉnh"),
    *("Ủy ban MTTQ Việt Nam tỉnh", "Liên đoàn Lao động tỉnh", "Hội Nông dân tỉnh", "Hội Liên hiệp Phụ nữ tỉnh"),
    *("Tỉnh đoàn", "Hội Cựu chiến binh tỉnh", "Hội Chữ thập đỏ tỉnh", "Liên minh Hợp tác xã tỉnh"),
    *("Công an tỉnh", "Bộ Chỉ huy Quân sự tỉnh", "Tòa án nhân dân tỉnh", "Viện Kiểm sát nhân dân tỉnh"),
    *("Thi hành án dân sự tỉnh", "Thuế tỉnh", "Chi cục Hải quan khu vực", "Kho bạc Nhà nước khu vực"),
    *("Thống kê tỉnh", "Bảo hiểm xã hội tỉnh", "Báo và Phát thanh, Truyền hình tỉnh", "Bưu điện tỉnh"),
)
_FIRST: Final = ("An", "Bình", "Cẩm", "Đông", "Hòa", "Hưng", "Kim", "Long", "Mỹ", "Nam", "Phú", "Quang", "Tân", "Thanh")
_SECOND: Final = ("Châu", "Giang", "Hải", "Khê", "Lạc", "Lâm", "Lộc", "Minh", "Phong", "Sơn", "Thịnh", "Thủy", "Xuân")
COMMUNES: Final = tuple(f"UBND xã {first} {second}" for first in _FIRST for second in _SECOND)
"""Made of two syllables each; some happen to exist somewhere."""
PLACES: Final = ("Hội trường UBND tỉnh", "phòng họp Sở Nội vụ", "Trung tâm Hội nghị tỉnh", "phòng họp trực tuyến")

CRITERIA: Final = {
    "Thực hiện nhiệm vụ chính trị, chuyên môn": (
        *(("Chỉ tiêu kinh tế - xã hội được giao", 10), ("Tham mưu văn bản đúng hạn", 8)),
        *(("Chất lượng văn bản tham mưu", 7), ("Thực hiện nhiệm vụ đột xuất", 5)),
    ),
    "Cải cách hành chính, chuyển đổi số": (
        *(("Chỉ số cải cách hành chính", 8), ("Dịch vụ công trực tuyến", 6)),
        *(("Giải quyết hồ sơ đúng hạn", 6), ("Ứng dụng công nghệ thông tin", 5)),
    ),
    "Xây dựng Đảng, chính quyền, đoàn thể": (
        *(("Xếp loại tổ chức đảng", 5), ("Quy chế dân chủ ở cơ sở", 4)),
        *(("Phòng, chống tham nhũng, lãng phí", 4), ("Kỷ luật, kỷ cương hành chính", 4)),
    ),
    "Công tác thi đua, khen thưởng": (
        *(("Đăng ký, phát động thi đua", 4), ("Nhân rộng điển hình tiên tiến", 4)),
        *(("Báo cáo đúng hạn", 3), ("Tham gia hoạt động của khối", 3)),
    ),
    "An sinh xã hội, phong trào": (
        *(("Đóng góp các quỹ", 4), ("Xây dựng nông thôn mới", 4)),
        *(("Văn hóa, thể thao", 3), ("An toàn cơ quan, trật tự", 3)),
    ),
}
"""Groups with what is scored in them and the points at most: 100 in all."""
EXPERT_FOR: Final = "Chỉ số cải cách hành chính"
"""What another agency follows, and so appraises."""

EXPLANATIONS: Final = ("Đã hoàn thành, có báo cáo kèm theo", "Hoàn thành trước hạn", "Đạt chỉ tiêu được giao", "")
REASONS_LOWER: Final = ("Chưa đủ minh chứng", "Báo cáo chậm so với quy định", "Có hồ sơ quá hạn trong quý IV")
REASON_SAME: Final = "Thống nhất với điểm tự chấm"


@cache
def handle_of(name: str) -> str:
    """Return a name as a handle: `Sở Y tế` is `so-y-te`."""
    plain = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    words = "".join(
        letter if letter.isascii() and letter.isalnum() else " "
        for letter in plain
        if letter.isprintable() and not unicodedata.combining(letter)
    ).split()
    return "-".join(words)[:40].rstrip("-")
