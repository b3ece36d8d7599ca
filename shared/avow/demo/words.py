"""What is promised, planned and said in the demo."""

from dataclasses import dataclass


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


BY_MEMBERS = (
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
    Promise(
        "lead.learning", "aim.development", "把一门课讲明白", "每学期听同行课六次并写评语", "听课记录交教研室互评",
        "评语具体、有改进", "听课次数", "次", "2", "12", "up",
    ),
    Promise(
        "lead.discipline", "aim.organisation", "材料按时交、账目看得清", "每月五日前公布经费使用", "两人核对后上墙",
        "无逾期、无退回", "按时率", "%", "76", "98", "up",
    ),
)  # fmt: skip

BY_UNITS = (
    ("good.leadership", "aim.organisation", "支委分工上墙", "支委联系党小组次数", "次", "6", "24", "up"),
    ("good.members", "aim.talent", "党员亮身份", "党员示范岗数", "个", "1", "5", "up"),
    ("good.mechanism", "aim.organisation", "会议有记录可查", "记录归档率", "%", "71", "98", "up"),
    ("good.performance", "aim.development", "中心工作有实效", "年度任务完成率", "%", "85", "96", "up"),
    ("good.public_opinion", "aim.service", "有诉必复", "平均答复天数", "天", "12", "4", "down"),
    ("good.leadership", "aim.harmony", "谈心谈话全覆盖", "谈心人次", "人次", "10", "40", "up"),
    ("good.members", "aim.service", "志愿服务常态化", "志愿服务时数", "小时", "60", "240", "up"),
    ("good.mechanism", "aim.harmony", "困难师生有人帮", "结对帮扶户数", "户", "3", "12", "up"),
    ("good.performance", "aim.talent", "学生技能有提高", "技能证书通过率", "%", "74", "86", "up"),
    ("good.public_opinion", "aim.service", "办事少跑腿", "网上办理事项数", "项", "4", "15", "up"),
)

PLAN = (
    ("把承诺落到岗位", "按月对照承诺检查一次", "支委分头联系，问题列单"),
    ("把师生意见办出结果", "每季度开一次恳谈会", "意见编号，逐条答复"),
    ("把队伍带起来", "每月集中学习一次", "党员轮流领学，考勤公开"),
)

STRENGTHS = (
    "承诺事项件件有人抓，记录完整。",
    "服务师生用心，答复及时。",
    "班子配合好，会议开得实。",
    "党员带头，实训任务提前完成。",
)
SHORTCOMINGS = ("时间节点偏松，个别事项缺少阶段数据。", "意见收集渠道偏少。", "学习记录不够细。", "指标定得偏低。")
DIRECTIONS = (
    "下季度起按月公布进度，主动接受师生监督。",
    "把经验写成可以照着做的办法。",
    "补齐短板，逐条销号。",
    "对照先进支部找差距。",
)
