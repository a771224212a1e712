"""What the playground makes of words and values, without a browser: Markdown, schemas, settings, what is kept."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.page.node import NEEDS_NODE, run_module

pytestmark = NEEDS_NODE
READ = "return splitBlocks(given.text).map((block) => parseBlock(block));"
DRAWN = {"paragraph", "heading", "rule", "quote", "code", "list", "text", "strong", "em", "link"}


@pytest.fixture
def read(tmp_path: Path) -> Any:
    return lambda text: run_module(tmp_path, "{splitBlocks, parseBlock} from markdown.js", READ, text=text)


def flat(value: Any) -> list[dict[str, Any]]:
    """Return every part of a tree."""
    if isinstance(value, list):
        return [part for each in value for part in flat(each)]
    if isinstance(value, dict):
        return [value, *(part for each in value.values() for part in flat(each))]
    return []


def text_of(value: Any) -> str:
    return "".join(part["text"] for part in flat(value) if "text" in part)


def test_paragraphs_marks_and_code_are_read(read) -> None:
    assert read("Hello **bold *both* x** and `a  <b>`\nmore\n\nnext") == [
        {"kind": "paragraph", "parts": [
            {"kind": "text", "text": "Hello "},
            {"kind": "strong", "parts": [
                {"kind": "text", "text": "bold "}, {"kind": "em", "parts": [{"kind": "text", "text": "both"}]}, {"kind": "text", "text": " x"},
            ]},
            {"kind": "text", "text": " and "},
            {"kind": "code", "text": "a  <b>"},
            {"kind": "text", "text": "\nmore"},
        ]},
        {"kind": "paragraph", "parts": [{"kind": "text", "text": "next"}]},
    ]  # fmt: skip
    [triple] = read("***x***")
    assert triple["parts"][0]["parts"] == [{"kind": "em", "parts": [{"kind": "text", "text": "x"}]}]


def test_lists_hold_lists_and_keep_their_numbers(read) -> None:
    [found] = read("3. three\n   more\n4. four\n   - deep\n\n     deeper words\n   - deep too")
    assert (found["isOrdered"], found["start"], len(found["items"])) == (True, 3, 2)
    assert text_of(found["items"][0]) == "three\nmore"
    inner = found["items"][1][1]
    assert (inner["isOrdered"], [text_of(item) for item in inner["items"]]) == (False, ["deepdeeper words", "deep too"])


def test_a_fence_ends_where_it_does_and_one_that_is_still_open_is_code(read) -> None:
    assert read("````js\n```\na < b\n````\nafter") == [
        {"kind": "code", "language": "js", "text": "```\na < b"},
        {"kind": "paragraph", "parts": [{"kind": "text", "text": "after"}]},
    ]
    assert read("~~~\nopen\n") == [{"kind": "code", "language": "", "text": "open\n"}]
    assert read("```") == [{"kind": "code", "language": "", "text": ""}]


def test_words_with_signs_in_them_stay_words(read) -> None:
    said = r"snake_case_word, 2 * 3 * 4, **open, \*no\*, a ` b, __init__.py, [no](link here), 5 > 4"
    assert text_of(read(said)) == said.replace("\\", "").replace("__init__", "init")
    assert [part["kind"] for part in read(said)[0]["parts"]] == ["text", "strong", "text"]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "![a](javascript:alert(1))",
    "[a](vbscript:x)",
    "[a](//evil.example/x)",
    "[a](file:///etc/passwd)",
    "[a]( javascript:alert(1) )",
    "<javascript:alert(1)>",
    "[![a](javascript:alert(1))](javascript:alert(1))",
    '[a](https://x.example "onclick=alert(1)")',
    "> > > <b onmouseover=alert(1)>",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```<script>\nx\n```",
    "&lt;script&gt; &#x3C;b&#x3E;",
]


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_answer_becomes_text_and_links_to_the_web_alone(read, said) -> None:
    parts = [part for part in flat(read(said)) if "kind" in part]
    assert {part["kind"] for part in parts} <= DRAWN
    links = [part for part in parts if part["kind"] == "link"]
    assert all(part["url"].startswith(("https://", "http://")) for part in links)
    assert len(links) == ("https://x.example" in said)
    assert "<script" not in said or "script" in text_of(parts) + "".join(part.get("language", "") for part in parts)


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ("[https://bank.example](https://evil.example/x)", "evil.example"),
        ("[your bank](https://bank.example@evil.example/)", "evil.example"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("[bank.example](https://bаnk.example)", "xn--bnk-6cd.example"),
        ("https://bank.example/a", ""),
        ("[https://bank.example](https://bank.example)", ""),
    ],
)
def test_a_link_says_where_it_leads(read, said, target) -> None:
    [link] = [part for part in flat(read(said)) if part.get("kind") == "link"]
    assert link["target"] == target


def test_a_bare_address_ends_before_the_sentence_does(read) -> None:
    [link] = [
        part
        for part in flat(read("See https://x.example/a_b?c=1*, or (https://x.example/)."))
        if part.get("kind") == "link"
    ][:1]
    assert link["url"] == "https://x.example/a_b?c=1"


def test_a_long_answer_made_to_be_slow_is_read_in_time(tmp_path) -> None:
    took = run_module(tmp_path, "{splitBlocks, parseBlock} from markdown.js", """
        const hard = ["*".repeat(30000), "[".repeat(30000), "_a".repeat(30000), "` `` ``` ".repeat(8000), "![](".repeat(15000),
                      "> ".repeat(15000), "- ".repeat(15000), "\\\\".repeat(30000), "*a_b".repeat(15000), "https://".repeat(8000), " ".repeat(30000) + "#",
                      "-" + " -".repeat(20000) + "x", "- a\\n".repeat(20000), "[a](".repeat(15000) + "(".repeat(15000),
                      "# " + " ".repeat(50000) + "x", "# " + "#".repeat(100000) + "x", "~".repeat(100000) + "`", "```" + " a".repeat(50000) + "`",
                      "` " + "a".repeat(100000) + "`", "https://x" + ".".repeat(100000) + "x"];
        return hard.map((text) => { const before = performance.now(); splitBlocks(text).forEach((block) => parseBlock(block)); return performance.now() - before; });
    """)  # fmt: skip
    assert max(took) < 3000, took


def test_what_comes_later_changes_only_the_last_part(tmp_path) -> None:
    pieces = run_module(tmp_path, "{splitBlocks} from markdown.js", """
        const text = given.text;
        const seen = [];
        for (let at = 1; at <= text.length; at += 1) { seen.push(splitBlocks(text.slice(0, at)).map((block) => block.raw)); }
        return seen;
    """, text="First *words*.\n\n```js\nlet a;\n```\n\nThen more.\n\n## Head\n\nEnd.")  # fmt: skip
    for before, after in pairwise(pieces):
        settled = before[:-1]
        assert after[: len(settled)] == settled


SCHEMA = {
    "type": "object", "required": ["city", "tags"], "additionalProperties": False,
    "properties": {
        "city": {"type": "string", "minLength": 2, "enum": ["Lisbon", "Porto"]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "maxItems": 2},
        "size": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
    },
    "$defs": {"tag": {"type": "string"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "misfits"),
    [
        ({"city": "Lisbon", "tags": ["a"]}, []),
        ({"city": "Lisbon", "tags": [], "size": None}, []),
        ({"city": "Lisbon"}, ["tags: is missing"]),
        ({"city": "Rome", "tags": []}, ['city: is none of "Lisbon", "Porto"']),
        ({"city": "Porto", "tags": ["a", 2]}, ["tags.1: is no string"]),
        ({"city": "Porto", "tags": [], "size": 0}, ["size: fits none of the choices"]),
        ({"city": "Porto", "tags": ["a", "b", "c"]}, ["tags: has more than 2 items"]),
        ({"city": "Porto", "tags": [], "x": 1}, ["x: is not in the schema"]),
        ([], ["the answer is no object"]),
    ],
    ids=range(9),
)
def test_what_does_not_fit_a_schema_is_named(tmp_path, value, misfits) -> None:
    found = run_module(tmp_path, "{findMisfits} from misfit.js", "return findMisfits(given.value, given.schema);", value=value, schema=SCHEMA)  # fmt: skip
    assert found == misfits


def test_a_schema_that_holds_itself_has_an_end(tmp_path) -> None:
    schema = {"$ref": "#"}
    assert run_module(tmp_path, "{findMisfits} from misfit.js", "return findMisfits({}, given.schema);", schema=schema) == []  # fmt: skip


def settings(tmp_path: Path, **said: str) -> Any:
    return run_module(tmp_path, "{readSettings, SETTINGS} from request.js", "return readSettings({...SETTINGS, ...given});", **said)  # fmt: skip


def test_settings_become_fields_of_the_body(tmp_path) -> None:
    tool = {"name": "f", "parameters": {"type": "object"}}
    read = settings(
        tmp_path, system=" Be brief ", temperature="0", topP="0.5", maxTokens="10", thinking="off", stop="END\n\nFIN",
        seed="7", fallbacks="a/b\nc/d", tools=json.dumps(tool), toolChoice="required", schema="{}",
    )  # fmt: skip
    assert (read["errors"], read["system"]) == ({}, "Be brief")
    assert read["fields"] == {
        "temperature": 0, "top_p": 0.5, "max_tokens": 10, "reasoning_effort": "none", "stop": ["END", "FIN"], "seed": 7,
        "fallbacks": ["a/b", "c/d"], "tools": [{"type": "function", "function": tool}], "tool_choice": "required",
        "response_format": {"type": "json_object"},
    }  # fmt: skip


def test_a_setting_that_makes_no_sense_is_named_and_left_out(tmp_path) -> None:
    read = settings(tmp_path, temperature="3", topP="x", maxTokens="1.5", seed="-1", tools="[{}]", schema="[1]")
    assert read["fields"] == {}
    assert read["errors"].keys() == {"temperature", "topP", "maxTokens", "seed", "tools", "schema"}
    assert settings(tmp_path, schema="{nope")["errors"]["schema"].startswith("not JSON")


KEEPING = """
    const shelf = new Map();
    const storage = { getItem: (key) => shelf.get(key) ?? null, setItem: (key, value) => shelf.set(key, value) };
"""


def test_words_are_kept_over_a_reload_and_files_are_only_named(tmp_path) -> None:
    kept = run_module(tmp_path, "{keep, load} from kept.js", KEEPING + """
        const answer = { state: "running", blocks: [{ kind: "text", text: "half" }, { kind: "media", data: "AAAA" }], message: null };
        const done = { state: "done", blocks: [], message: { role: "assistant", content: "x", images: ["AAAA"] } };
        const lanes = [{ at: 0, tries: [{ steps: [{ answer: done }, { results: [{ id: "1", text: "r" }] }, { answer }] }] }];
        keep({ turns: [{ id: "t", text: "q", files: [{ id: 1, name: "a.png", kind: "image", data: "AAAA" }], lanes }], settings: {}, draft: "d" }, storage);
        return { text: [...shelf.values()][0], loaded: load(storage) };
    """)  # fmt: skip
    assert "AAAA" not in kept["text"]
    steps = kept["loaded"]["turns"][0]["lanes"][0]["tries"][0]["steps"]
    assert (steps[0]["answer"]["state"], steps[1]["results"][0]["text"]) == ("done", "r")
    assert (steps[2]["answer"]["state"], steps[2]["answer"]["blocks"][0]["text"]) == ("failed", "half")
    assert "loaded anew" in steps[2]["answer"]["error"]["message"]
    assert kept["loaded"]["draft"] == "d"


def test_what_is_kept_has_an_end_and_the_oldest_goes_first(tmp_path) -> None:
    kept = run_module(tmp_path, "{keep, load} from kept.js", KEEPING + """
        const turns = [...Array(9).keys()].map((id) => ({ id, text: "x".repeat(100000), files: [], lanes: [] }));
        keep({ turns }, storage);
        const many = load(storage).turns.map((turn) => turn.id);
        shelf.set("jackfield.playground", "{ nonsense");
        return [many, load(storage)];
    """)  # fmt: skip
    assert kept == [[6, 7, 8], None]


def test_a_call_that_nobody_answered_is_not_sent_back(tmp_path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": "Let me look.", "tool_calls": [call]}
    turns = [
        {"id": str(at), "text": f"q{at}", "files": [], "lanes": [{"at": 0, "tries": [{"steps": steps}]}]}
        for at, steps in enumerate([
            [{"answer": {"message": said, "blocks": []}}],
            [{"answer": {"message": {**said, "content": None}, "blocks": []}}],
            [{"answer": {"message": said, "blocks": []}}, {"results": [{"id": "c", "text": "r"}]}, {"answer": {"blocks": []}}],
        ])
    ]  # fmt: skip
    body = run_module(tmp_path, "{buildBody, readSettings, SETTINGS} from request.js", """
        return buildBody({ model: "m", read: readSettings(SETTINGS), turns: given.turns, lane: 0, until: "2" });
    """, turns=turns)  # fmt: skip
    told = [(each["role"], each.get("content"), "tool_calls" in each) for each in body["messages"]]
    assert told == [
        ("user", "q0", False), ("assistant", "Let me look.", False), ("user", "q1", False), ("user", "q2", False),
        ("assistant", "Let me look.", True), ("tool", "r", False),
    ]  # fmt: skip


def test_the_picker_offers_what_can_be_asked_with_what_it_takes(tmp_path) -> None:
    head = ["ref", "name", "context", "maxTokens", "input", "output", "takes", "tools", "reasoning", "privacy", "status", "ready", "allowed", "source", "tags"]  # fmt: skip

    def row(
        ref: str, *, ready: bool = True, allowed: bool = True, status: str = "", price: float | None = 1
    ) -> list[Any]:
        return [ref, ref, 131072, None, price, price, "text+image", None, True, "", status, ready, allowed, "", []]

    rows = [row("a/m"), row("a/zero", price=0), row("a/unknown", price=None), row("a/far", ready=False), row("a/not", allowed=False), row("a/old", status="retired")]  # fmt: skip
    table = {
        "columns": head, "rows": rows, "routes": ["fast"], "aliases": [{"name": "mine", "ref": "a/m"}],
        "choice": {"text": {"primary": {"text": "mine", "ref": "a/m"}}},
    }  # fmt: skip
    names = run_module(tmp_path, "{namesOf} from names.js", "return namesOf(given.table);", table=table)
    assert [(each["value"], each["note"]) for each in names] == [
        ("default", "a/m"), ("fast", "route"), ("mine", "a/m"),
        ("a/m", "131k context · image · thinks · $1.00 in, $1.00 out per M"),
        ("a/zero", "131k context · image · thinks · $0 in, $0 out per M"), ("a/unknown", "131k context · image · thinks"),
    ]  # fmt: skip
