// Vercel's AI SDK over all four wires, whole and streamed.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const [root, apiKey, name] = process.argv.slice(2);
const called = [];
const weather = tool({
  description: 'Tell the weather.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => { called.push(city); return '18 °C'; },
});
const models = {
  chat: createOpenAICompatible({ name: 'gateway', baseURL: `${root}/v1`, apiKey })(name),
  responses: createOpenAI({ baseURL: `${root}/v1`, apiKey }).responses(name),
  messages: createAnthropic({ baseURL: `${root}/v1`, apiKey })(name),
  gemini: createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey })(name),
};
for (const [wire, model] of Object.entries(models)) {
  const asked = { model, tools: { weather }, stopWhen: stepCountIs(3), prompt: 'The weather?', maxRetries: 0 };
  const whole = (await generateText(asked)).text;
  let streamed = '';
  for await (const piece of streamText({ ...asked, onError: ({ error }) => { throw error; } }).textStream) streamed += piece;
  console.log(wire, '|', JSON.stringify(called), '|', whole, '|', streamed);
  called.length = 0;
}
