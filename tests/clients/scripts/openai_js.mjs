// What the JavaScript SDK sees of the service, as one line of JSON.

import { createRequire } from "node:module";

const { default: OpenAI } = createRequire(`${process.argv[2]}/package.json`)("openai");
const model = "boson/higgs-audio-v2.5";
const text = "The quick brown fox jumps over the lazy dog.";
const ask = { model, modalities: ["text", "audio"], messages: [{ role: "user", content: text }] };
const say = { model: "tts-1", voice: "alloy", input: text, response_format: "pcm" };
const wav = { voice: "alloy", format: "wav" };
const client = new OpenAI();

const ofCompletion = ({ choices, usage }) => ({
  bytes: Buffer.from(choices[0].message.audio.data, "base64").length,
  seconds: usage.audio_seconds,
  transcript: choices[0].message.audio.transcript,
});

const heard = async (stream) => {
  let bytes = 0;
  let seconds = null;
  for await (const chunk of stream) {
    const data = chunk.choices[0]?.delta?.audio?.data;
    if (data) bytes += Buffer.from(data, "base64").length;
    seconds = chunk.usage?.audio_seconds ?? seconds;
  }
  return { bytes, seconds };
};

const refusal = async (options, changed = {}) => {
  try {
    await client.withOptions(options).chat.completions.create({ ...ask, audio: wav, ...changed });
  } catch (error) {
    return { type: error.constructor.name, status: error.status, code: error.code };
  }
};

const main = async () => {
  if (process.env.RETRIED) return { chat: ofCompletion(await client.chat.completions.create({ ...ask, audio: wav })) };
  const { data, response } = await client.chat.completions.create({ ...ask, audio: wav }).withResponse();
  const stream = await client.chat.completions.create({
    ...ask,
    audio: { voice: "alloy", format: "pcm16" },
    stream: true,
    stream_options: { include_usage: true },
  });
  const speech = await client.audio.speech.create(say);
  let streamed = 0;
  for await (const piece of (await client.audio.speech.create(say)).body) streamed += piece.length;
  const models = [];
  for await (const { id } of client.models.list()) models.push(id);
  return {
    models,
    chat: ofCompletion(data),
    cost: data.usage.cost_usd,
    headers: Object.fromEntries(response.headers),
    "chat stream": await heard(stream),
    speech: (await speech.arrayBuffer()).byteLength,
    "speech stream": streamed,
    "wrong key": await refusal({ apiKey: "sk-wrong" }),
    "no such model": await refusal({}, { model: "gpt-4o" }),
    "no credit": await refusal({ apiKey: process.env.POOR_KEY }),
  };
};

console.log(JSON.stringify(await main()));
