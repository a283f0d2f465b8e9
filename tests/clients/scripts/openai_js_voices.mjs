// A voice of one's own as the JavaScript SDK makes one, as one line of JSON. Arguments: the SDK's folder and a recording.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const { default: OpenAI, toFile } = createRequire(`${process.argv[2]}/package.json`)("openai");
const client = new OpenAI();

const main = async () => {
  const recording = await readFile(process.argv[3]);
  const consent = await client.audio.voiceConsents.create({
    name: "Ada's consent",
    language: "en-US",
    recording: await toFile(recording, "consent.wav", { type: "audio/wav" }),
  });
  const renamed = await client.audio.voiceConsents.update(consent.id, { name: "Ada" });
  const voice = await client.audio.voices.create({
    name: "Ada",
    consent: consent.id,
    audio_sample: await toFile(recording, "sample.wav", { type: "audio/wav" }),
  });
  const listed = [];
  for await (const { id } of client.audio.voiceConsents.list({ limit: 1 })) listed.push(id);
  const refused = await client.audio.speech
    .create({ model: "tts-1", voice: { id: voice.id }, input: "Hello there." })
    .catch((error) => error.code);
  return {
    object: voice.object,
    retrieved: (await client.audio.voiceConsents.retrieve(consent.id)).name === renamed.name,
    listed: listed.includes(consent.id),
    refused,
    deleted: (await client.audio.voices.delete(voice.id)).deleted,
    gone: await client.audio.voiceConsents.retrieve(consent.id).catch((error) => error.status),
  };
};

console.log(JSON.stringify(await main()));
