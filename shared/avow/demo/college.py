"""The fictional college: its units, its people and what they promise. No person or institution here is real."""

from dataclasses import dataclass

TITLE = ("示例职业技术学院", "Demo Vocational College")
COMMITTEE = "示例职业技术学院党委"
LEADING_GROUP = (("柳承远", "lg_head"), ("钟若岚", "lg_deputy"), ("贺启明", "lg_member"))
OFFICE_DIRECTOR = "祁安然"


@dataclass(frozen=True)
class Branch:
    """A branch: its name, category, secretary and members, and how many of the public may review it."""

    name: str
    category: str
    secretary: str
    members: tuple[str, ...]
    public: int


BRANCHES = (
    Branch(
        "药学系教工支部",
        "teaching",
        "傅明哲",
        ("苏砚", "蓝听雨", "阮知微", "卓怀瑾", "温若拙", "简兮禾"),
        62,
    ),
    Branch(
        "后勤支部",
        "service",
        "岑望舒",
        ("闻人砚秋", "楼听澜", "桑榆晚", "祝余生", "晏清和", "鹿鸣野"),
        64,
    ),
    Branch(
        "实训药厂支部",
        "production",
        "巫嘉木",
        ("司空见山", "容若谷", "冉星河", "尉迟墨", "乐正言", "宓知秋"),
        25,
    ),
)


@dataclass(frozen=True)
class Promise:
    """One item of a pledge in words and numbers: goal, task, measure, indicator, what is counted, how far."""

    criterion: str
    aim: str
    goal: str
    task: str
    measure: str
    qualitative: str
    metric: str
    metric_unit: str
    baseline: str
    target: str
    direction: str


PROMISES = (
    Promise(
        "lead.service", "aim.service", "让新生少跑一趟", "每周二晚开设新生答疑", "与辅导员轮流值班，问题当场登记",
        "新生说得清楚办事流程", "答疑场次", "场", "0", "24", "up",
    ),
    Promise(
        "lead.achievement", "aim.talent", "让实训课学生人人过关", "逐人建立实训档案", "每月对照档案补课一次",
        "档案齐全、补课有记录", "实训一次合格率", "%", "82.5", "90", "up",
    ),
    Promise(
        "lead.service", "aim.harmony", "让宿舍报修不过夜", "值班电话二十四小时有人接", "晚间加派一名水电工",
        "报修有回访", "平均修复时长", "小时", "19.5", "8", "down",
    ),
)  # fmt: skip

STRENGTHS = "承诺事项件件有人抓，答疑记录完整。"
SHORTCOMINGS = "时间节点偏松，个别事项缺少阶段数据。"
DIRECTIONS = "下季度起按月公布进度，主动接受师生监督。"
