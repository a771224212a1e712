"""What OpenAI's Responses ask of a server beyond a codec: to repeat the request, and to know what it refers to.

Nothing is kept between two requests here. What a request refers to is kept by a provider of this
wire, or by nobody.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.errors import InvalidRequest
from jackfield.gateway.wires import RESPONSES
from jackfield.message import ChatRequest, JsonObject
from jackfield.protocols.base import own_fields
from jackfield.protocols.fields import as_list, as_object
from jackfield.routing.candidate import Plan, Skipped

REPEATED = (
    "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "previous_response_id",
    "prompt_cache_key", "reasoning", "safety_identifier", "temperature", "text", "tool_choice", "tools",
    "top_logprobs", "top_p", "truncation", "user",
)  # fmt: skip
# Fields of an object that its reader expects also where they say nothing.
WHOLE: dict[str, JsonObject] = {
    "reasoning": {"effort": None, "summary": None},
    "text": {"format": {"type": "text"}},
}
TOOL: JsonObject = {"description": None, "parameters": None, "strict": None}
KEPT_BY_PROVIDER = ("previous_response_id", "conversation", "prompt", "background")
KEEPERS = frozenset({RESPONSES, "azure-openai-responses", "openai-codex-responses"})


def repeat(body: JsonObject) -> JsonObject:
    """Return the fields of a request that its reply has, too."""
    said = {name: body[name] for name in REPEATED if body.get(name) is not None}
    for name in said.keys() & WHOLE.keys():
        said[name] = {**WHOLE[name], **as_object(said[name])}
    if "tools" in said:
        said["tools"] = [_whole_tool(as_object(tool)) for tool in as_list(said["tools"])]
    return said


def _whole_tool(tool: JsonObject) -> JsonObject:
    return {**TOOL, **tool} if tool.get("type") == "function" else tool


def narrow(made: Plan, request: ChatRequest) -> Plan:
    """Return the plan without models whose provider cannot know what the request refers to.

    Raises `InvalidRequest` when none is left: an answer without what came before would look like one.
    """
    held = own_fields(request.opaque, RESPONSES)
    asked = [name for name in KEPT_BY_PROVIDER if held.get(name)]
    if not asked:
        return made
    able = tuple(each for each in made.candidates if defaults.api(each.model, each.info) in KEEPERS)
    if not able:
        raise InvalidRequest(
            f"{made.candidates[0].ref} does not keep what {' and '.join(asked)} asks for",
            hint="send the whole conversation as input",
        )
    words = f"it does not keep what {' and '.join(asked)} asks for"
    left = [
        Skipped(str(each.ref), words, each.credential, cause="not_kept") for each in made.candidates if each not in able
    ]
    return replace(made, candidates=able, skipped=(*made.skipped, *left))
