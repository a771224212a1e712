"""pydantic-ai's agent over all four wires, whole and streamed."""

import asyncio
import sys

from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

root, key, name = sys.argv[1:]
called: list[str] = []


def weather(city: str) -> str:
    """Tell the weather."""
    called.append(city)
    return "18 °C"


openai = OpenAIProvider(base_url=f"{root}/v1", api_key=key)
MODELS = {
    "chat": OpenAIChatModel(name, provider=openai),
    "responses": OpenAIResponsesModel(name, provider=openai),
    "messages": AnthropicModel(name, provider=AnthropicProvider(base_url=root, api_key=key)),
    "gemini": GoogleModel(name, provider=GoogleProvider(base_url=root, api_key=key)),
}


async def main() -> None:
    for wire, model in MODELS.items():
        agent = Agent(model, tools=[weather])
        whole = (await agent.run("The weather?")).output
        async with agent.run_stream("The weather?") as stream:
            streamed = await stream.get_output()
        print(wire, "|", called, "|", whole, "|", streamed)
        called.clear()


asyncio.run(main())
