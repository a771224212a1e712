"""Whoever says it and however: a conversation that is too long is known as one, and words about it are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message, protocols
from jackfield.errors import ContextLength
from tests.cli.test_chat import whole
from tests.commands import local_provider
from tests.servers import json_reply, serve

# Who says it → on which wire, with which status, in which shape.
OPENAI, ANTHROPIC, GEMINI = "openai-completions", "anthropic-messages", "google-generative-ai"
RESPONSES, BEDROCK, COHERE, OLLAMA = "openai-responses", "bedrock-converse-stream", "cohere", "ollama"


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


CORPUS: dict[str, tuple[str, int, object]] = {
    "openai": (OPENAI, 400, error("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", code="context_length_exceeded")),
    "openai responses": (RESPONSES, 400, error("Your input exceeds the context window of this model.", code="context_length_exceeded", param="input")),
    "anthropic": (ANTHROPIC, 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 209025 tokens > 200000 maximum"}}),
    "anthropic, with the answer": (ANTHROPIC, 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000"}}),
    "anthropic, bytes": (ANTHROPIC, 413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}),
    "bedrock": (BEDROCK, 400, {"message": "Input is too long for requested model."}),
    "bedrock, nova": (BEDROCK, 400, {"message": "The model returned the following errors: Too many input tokens. Max input tokens: 300000, request input token count: 420000"}),
    "llama.cpp": (OPENAI, 400, error("request (2009 tokens) exceeds the available context size (512 tokens), try increasing it", type="exceed_context_size_error", code=400)),
    "llama.cpp, older": (OPENAI, 500, error("the request exceeds the available context size. try increasing the context size or enable context shift", type="server_error", code=500)),
    "llama.cpp, on its way": (OPENAI, 500, error("Context size has been exceeded.", type="server_error", code=500)),
    "lm studio": (OPENAI, 400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length."}),
    "ollama": (OLLAMA, 400, {"error": "the input length exceeds the context length"}),
    "ollama, openai's shape": (OPENAI, 400, error("prompt too long; exceeded max context length by 1119046 tokens", type="invalid_request_error")),
    "cohere": (COHERE, 400, {"message": "too many tokens: size limit exceeded by 25836 tokens. Try using shorter or fewer inputs."}),
    "gemini": (GEMINI, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576)."}}),
    "gemini, through a proxy": (OPENAI, 400, error("The input token count (582632) exceeds the maximum number of tokens allowed (131072).", code=400)),
    "vllm": (OPENAI, 400, {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens", "type": "BadRequestError", "code": 400}),
    "vllm, longer": (OPENAI, 400, {"object": "error", "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", "code": 400}),
    "vllm, fit": (OPENAI, 400, {"object": "error", "message": "The prompt (total length 25938) is too long to fit into the model (context length 4096).", "code": 400}),
    "sglang": (OPENAI, 400, {"object": "error", "message": "The input (263000 tokens) is longer than the model's context length (262144 tokens).", "code": 400}),
    "tgi": (OPENAI, 422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens", "error_type": "validation"}),
    "groq": (OPENAI, 400, error("Please reduce the length of the messages or completion.", type="invalid_request_error")),
    "xai": (OPENAI, 400, {"code": "invalid-argument", "error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."}),
    "mistral": (OPENAI, 400, {"object": "error", "message": "Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length"}),
    "copilot": (OPENAI, 400, error("prompt token count of 135000 exceeds the limit of 128000", code="model_max_prompt_tokens_exceeded")),
    "openrouter": (OPENAI, 400, error("This endpoint's maximum context length is 200000 tokens. However, you requested about 2500021 tokens", code=400)),
    "poolside": (OPENAI, 400, error("Input length 131393 exceeds the maximum allowed input length of 131040 tokens.", code="400")),
    "perplexity": (OPENAI, 400, error("The total length of all messages is too long.", type="too_many_prompt_tokens", code=400)),
    "deepseek": (OPENAI, 400, error("This model's maximum context length is 65536 tokens. However, you requested 69648 tokens", code="invalid_request_error")),
    "zhipu": (OPENAI, 400, error("Prompt exceeds max length", code="1261")),
    "zhipu, in chinese": (OPENAI, 400, error("Prompt 超长", code="1261")),
    "qwen": (OPENAI, 400, error("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", code="invalid_parameter_error")),
    "moonshot": (OPENAI, 400, error("Invalid request: Your request exceeded model token limit: 262144 (requested: 287431)", type="invalid_request_error")),
    "minimax": (ANTHROPIC, 400, {"type": "error", "error": {"type": "bad_request_error", "message": "invalid params, context window exceeds limit (2013)"}}),
    "qianfan": (OPENAI, 400, error("prompt tokens too long", code="336007")),
    "doubao": (OPENAI, 400, error("Total tokens of image and text exceed max message tokens.", code="InvalidParameter")),
}  # fmt: skip


def words(who: str) -> str:
    return json.dumps(CORPUS[who][2], ensure_ascii=False)


@pytest.mark.parametrize("who", CORPUS)
def test_every_providers_words_for_too_long_are_known(who: str) -> None:
    _, status, body = CORPUS[who]
    failed = protocols.load(CORPUS[who][0]).parse_error(status, json.dumps(body, ensure_ascii=False).encode())
    assert type(failed) is ContextLength, failed
    assert failed.type == "context_overflow"


@pytest.mark.parametrize("status", [401, 429, 503])
@pytest.mark.parametrize("who", CORPUS)
def test_other_statuses_stay_what_they_are(who: str, status: int) -> None:
    failed = protocols.load(CORPUS[who][0]).parse_error(status, words(who).encode())
    assert type(failed) is not ContextLength


async def test_a_user_and_a_model_may_quote_every_one_of_them() -> None:
    for who in CORPUS:
        with serve(json_reply(whole(text=words(who)))) as server:
            async with jackfield.AsyncClient(json.loads(local_provider(server.url))) as client:
                reply = await client.chat(
                    ChatRequest(model="box/m", messages=[Message.user(f"What means {words(who)}?")])
                )
        assert reply.text == words(who)


MODELS = {OPENAI: "groq/llama-3.3-70b-versatile", RESPONSES: "openai/gpt-4o", ANTHROPIC: "anthropic/claude-opus-4-5"}


@pytest.mark.parametrize("wire", MODELS)
def test_a_streamed_answer_may_quote_them_as_well(wire: str) -> None:
    script = [{"text": words(who)} for who in CORPUS]
    with jackfield.fake(script) as client:
        for who in CORPUS:
            asked = ChatRequest(model=MODELS[wire], messages=[Message.user(words(who))])
            assert client.stream(asked).response().text == words(who)
        assert {asked.protocol for asked in client.requests} == {wire}
