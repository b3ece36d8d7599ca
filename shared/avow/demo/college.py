"""The fictional college: its units, its people and how good they are at what. No person or institution here is real."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

TITLE = ("示例职业技术学院", "Demo Vocational College")
COMMITTEE = "示例职业技术学院党委"
LEADING_GROUP = (
    ("柳承远", "lg_head"),
    ("钟若岚", "lg_deputy"),
    ("贺启明", "lg_deputy"),
    ("祁安然", "lg_member"),
    ("傅明哲", "lg_member"),
    ("蓝听雨", "lg_member"),
    ("温若拙", "lg_member"),
)
OFFICE_DIRECTOR = "祁安然"
WITHDRAWING = "苏砚"
"""Who gives a pledge up for a cause nobody could help."""

GENERAL_BRANCHES = ("教学党总支", "机关党总支", "后勤产业党总支", "学生党总支")
_SURNAMES = "阮卓简岑闻楼桑祝晏鹿巫容冉宓苗柏尹茅闵鄢邬臧逄冼卞缪逯"
_GIVEN = (
    "知微", "怀瑾", "兮禾", "望舒", "砚秋", "听澜", "榆晚", "余生", "清和", "鸣野", "嘉木", "见山", "若谷", "星河",
    "守拙", "言蹊", "知秋", "临川", "景行", "自牧", "采薇", "云起", "疏影", "沐阳", "思齐", "亦然",
)  # fmt: skip


@dataclass(frozen=True)
class Branch:
    """A branch: how many members and public raters it has, and how good it is at what, in percent."""

    key: str
    name: str
    category: str
    general: int
    members: int
    public: int
    work: int
    """Of its pledges, how many are fulfilled."""
    regard: int
    """How often it is given one of the two best grades."""
    punctual: int
    """Of its meetings, how many are held in time."""


@dataclass(frozen=True)
class College:
    """Who takes part."""

    branches: tuple[Branch, ...]
    representatives: int
    """How many of the public review the members of each branch."""

    def names(self) -> Iterator[str]:
        """As many names as there are members, no two alike; the first is of whoever withdraws a pledge."""
        wanted = sum(branch.members for branch in self.branches)
        yield WITHDRAWING
        yield from islice(_names(), wanted - 1)


FULL = College(
    (
        Branch("B01", "药学系教工支部", "teaching", 0, 38, 620, work=94, regard=91, punctual=100),
        Branch("B02", "生物工程系教工支部", "teaching", 0, 34, 560, work=90, regard=89, punctual=97),
        Branch("B03", "医疗器械系教工支部", "teaching", 0, 29, 480, work=84, regard=84, punctual=94),
        Branch("B04", "基础部教工支部", "teaching", 0, 31, 510, work=80, regard=86, punctual=95),
        Branch("B05", "机关第一支部", "management", 1, 36, 450, work=87, regard=83, punctual=98),
        Branch("B06", "机关第二支部", "management", 1, 28, 430, work=78, regard=80, punctual=93),
        Branch("B07", "后勤支部", "service", 2, 27, 640, work=85, regard=79, punctual=92),
        Branch("B08", "图书信息支部", "service", 1, 22, 520, work=70, regard=82, punctual=90),
        Branch("B09", "药学系学生支部", "student", 3, 46, 560, work=88, regard=87, punctual=96),
        Branch("B10", "生物工程系学生支部", "student", 3, 43, 510, work=83, regard=85, punctual=93),
        Branch("B11", "器械系学生支部", "student", 3, 41, 470, work=76, regard=78, punctual=91),
        Branch("B12", "实训药厂支部", "production", 2, 25, 250, work=82, regard=81, punctual=94),
    ),
    representatives=20,
)
"""Twelve branches, 400 members, a public of 6,000."""

SMALL = College(
    (
        Branch("B01", "药学系教工支部", "teaching", 0, 9, 24, work=94, regard=91, punctual=100),
        Branch("B05", "机关第一支部", "management", 1, 8, 20, work=87, regard=83, punctual=98),
        Branch("B06", "机关第二支部", "management", 1, 6, 18, work=78, regard=80, punctual=93),
        Branch("B08", "图书信息支部", "service", 1, 7, 22, work=70, regard=82, punctual=90),
        Branch("B12", "实训药厂支部", "production", 2, 7, 30, work=82, regard=81, punctual=94),
    ),
    representatives=8,
)
"""Five branches and the same two years, for whoever has ten seconds."""


def _names() -> Iterator[str]:
    for n in range(len(_SURNAMES) * len(_GIVEN)):
        turn, at = divmod(n, len(_SURNAMES))
        # Each round of surnames meets the given names at another place, so that neighbours differ in both.
        yield _SURNAMES[at] + _GIVEN[(turn + 3 * at) % len(_GIVEN)]
