"""Why a subscription ended: what only a person can put right. What passes by itself is waited for and never raised."""

from avow.subscriber.place import LogKey


class SubscriptionEnded(Exception):
    """The subscription cannot go on; `zh` and `en` say why and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{en} / {zh}")
        self.zh = zh
        self.en = en


class NotAdmitted(SubscriptionEnded):
    """The service does not let this token read this organisation's feed."""

    def __init__(self, url: str, org: str, code: str) -> None:
        super().__init__(
            f"{url} 不允许读取 {org} 的事件流（{code}）。请检查令牌和组织代号；令牌可能已被吊销。",
            f"{url} does not open the feed of {org} ({code}). Check the token, which may be revoked, and the "
            "organisation.",
        )
        self.code = code


class LogReplaced(SubscriptionEnded):
    """The log is another one, or says something else than it did, where the subscriber has been already."""

    def __init__(self, log: LogKey, what: str) -> None:
        super().__init__(
            f"{log.org} 在 {log.service} 的日志已不是原来那本（{what}）。请核对来源；确认后另起进度名称，从头订阅。",
            f"The log of {log.org} at {log.service} is not what it was ({what}). Nothing was started anew. Ask whoever "
            "operates it; then subscribe under another checkpoint's name.",
        )


class LogRestored(SubscriptionEnded):
    """The log ends before the place the subscriber has reached: an older backup was restored."""

    def __init__(self, log: LogKey, reached: int, head: int) -> None:
        super().__init__(
            f"{log.org} 在 {log.service} 的日志只到 {head}，而这里已处理到 {reached}：日志恢复自较早的备份。",
            f"The log of {log.org} at {log.service} ends at {head}, and {reached} was handled here: it was restored "
            "from an older backup. Nothing was started anew; ask whoever operates it.",
        )


class LeafBroken(SubscriptionEnded):
    """The feed holds an event whose leaf is not that of what it says, or bytes that are no event."""

    def __init__(self, log: LogKey, sequence: int) -> None:
        super().__init__(
            f"{log.org} 在 {log.service} 的第 {sequence} 号事件与其叶散列不符。请运维人员运行 avow verify。",
            f"The event {sequence} of {log.org} at {log.service} does not fit its leaf. Have its operator run "
            "`avow verify`.",
        )
        self.sequence = sequence


class EventUnreadable(SubscriptionEnded):
    """A sound event does not fit the contract of its type and schema as this package knows it."""

    def __init__(self, log: LogKey, sequence: int, kind: str) -> None:
        super().__init__(
            f"{log.org} 在 {log.service} 的第 {sequence} 号事件不合 {kind} 的约定。请升级 avow 软件包。",
            f"The event {sequence} of {log.org} at {log.service} does not fit {kind}. Install the avow package of the "
            "service's release.",
        )
        self.sequence = sequence
