"""The catalogue of public events as a page: contents, and an article for each event.

Promises: whatever a text holds, it is shown and never read as HTML (tests/unit/web/test_events.py).
"""

import json
import re
from collections.abc import Iterable
from html import escape

from avow.contracts import wire
from avow.contracts.entries import Entry, Field
from avow.contracts.words import Words

PUBLISHERS = {"pledge": Words("承诺服务", "pledge service"), "evaluation": Words("评议服务", "evaluation service")}


def events_page(said: Iterable[Entry]) -> tuple[str, str]:
    """The contents, by publisher, and the articles, as HTML."""
    known = list(said)
    publishers = dict.fromkeys(service for entry in known for service in entry.services)
    contents = "\n".join(_contents(service, known) for service in publishers)
    return contents, "\n".join(_article(entry) for entry in known)


def escaped(text: str) -> str:
    """A text as HTML shows it."""
    return escape(text, quote=True)


def marked(text: str) -> str:
    """A text as HTML, with what stands between backquotes as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escaped(text))


def _contents(service: str, known: Iterable[Entry]) -> str:
    publisher = PUBLISHERS[service]
    lines = "\n".join(
        f'<li><a href="#{entry.event.type}">{escaped(entry.words.name.zh)}</a> <code>{entry.event.type}</code></li>'
        for entry in known
        if service in entry.services
    )
    return f'<h2>{publisher.zh} <span lang="en">{publisher.en}</span></h2>\n<ul>\n{lines}\n</ul>'


def _article(entry: Entry) -> str:
    name, type = entry.words.name, entry.event.type
    facts = "\n".join(f"<dt>{term}</dt><dd>{fact}</dd>" for term, fact in _facts(entry))
    rows = "\n".join(map(_row, entry.fields))
    example = escaped(json.dumps(json.loads(entry.sample), ensure_ascii=False, indent=2))
    return f"""<article id="{type}">
<h2>{escaped(name.zh)} <span lang="en">{escaped(name.en)}</span></h2>
<p class="type"><code>{type}</code></p>
{_ending(entry)}
{_paragraphs(entry.words)}
<dl>
{facts}
</dl>
<table>
<thead><tr><th>字段 <span lang="en">field</span></th><th>含义 <span lang="en">meaning</span></th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<details><summary>范例 <span lang="en">example</span></summary><pre><code>{example}</code></pre></details>
</article>"""


def _facts(entry: Entry) -> Iterable[tuple[str, str]]:
    publishers = [PUBLISHERS[service] for service in entry.services]
    yield "发布者 / publisher", "、".join(f'{one.zh} <span lang="en">{one.en}</span>' for one in publishers)
    schema = f'v{entry.event.schema_version}，<a href="events/{entry.name}.json">JSON Schema</a>'
    earlier = f"；以前 / earlier: {', '.join(entry.earlier)}" if entry.earlier else ""
    yield "版式 / schema", schema + escaped(earlier)
    yield "始于 / since", f"Avow {escaped(entry.since)}"
    yield "交换机 / exchange", f"<code>{wire.EVENTS}</code>"
    yield "路由键 / routing key", f"<code>{escaped(wire.routing_key('<org>', entry.event.type))}</code>"


def _ending(entry: Entry) -> str:
    ending = entry.ending
    if ending is None:
        return ""
    successor = f"<code>{escaped(ending.successor)}</code>" if ending.successor else ""
    then_zh, then_en = (f"，此后写作 {successor}", f", then {successor}") if successor else ("", "")
    chinese = f"{ending.since} 宣布：这一版式写到 {ending.until}{then_zh}"
    english = f"Announced on {ending.since}: written until {ending.until}{then_en}"
    return f'<p class="ending">{chinese}。<br><span lang="en">{english}.</span></p>'


def _paragraphs(words: Words) -> str:
    chinese = f"<p>{marked(words.zh)}</p>"
    english = "\n".join(f'<p lang="en">{marked(part)}</p>' for part in words.en.split("\n\n"))
    return f"{chinese}\n{english}"


def _row(field: Field) -> str:
    marks = ['<span class="mark">必有 / required</span>'] if field.required else []
    if field.sealed:
        marks.append(f'<span class="mark sealed">加封 / sealed: {escaped(field.sealed)}</span>')
    both = f'{marked(field.kind.zh)} <span lang="en">{marked(field.kind.en)}</span>'
    # Values are the same in every language.
    kind = f"<small>{marked(field.kind.en) if field.kind.en.startswith('`') else both}</small>"
    return (
        f"<tr><td><code>{escaped(field.path)}</code>{kind}{' '.join(marks)}</td>"
        f'<td>{marked(field.words.zh)}<br><span lang="en">{marked(field.words.en)}</span></td></tr>'
    )
