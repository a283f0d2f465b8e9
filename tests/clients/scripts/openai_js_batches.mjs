// A batch as the JavaScript SDK makes one, as one line of JSON.

import { createRequire } from "node:module";

const { default: OpenAI, toFile } = createRequire(`${process.argv[2]}/package.json`)("openai");
const client = new OpenAI();

const line = (number) => ({
  custom_id: `line ${number}`,
  method: "POST",
  url: "/v1/audio/speech",
  body: { model: "tts-1", voice: "alloy", input: "Hello there.", response_format: "wav" },
});

const main = async () => {
  const lines = [1, 2].map((number) => JSON.stringify(line(number))).join("\n");
  const file = await client.files.create({ file: await toFile(Buffer.from(lines), "input.jsonl"), purpose: "batch" });
  let batch = await client.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/audio/speech",
    completion_window: "24h",
    metadata: { book: "one" },
  });
  while (!["completed", "failed", "expired", "cancelled"].includes(batch.status)) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    batch = await client.batches.retrieve(batch.id);
  }
  const results = await (await client.files.content(batch.output_file_id)).text();
  const listed = [];
  for await (const { id } of client.batches.list({ limit: 1 })) listed.push(id);
  return {
    status: batch.status,
    counts: batch.request_counts,
    metadata: batch.metadata,
    results: results.trim().split("\n").map((each) => JSON.parse(each).custom_id),
    listed: listed.includes(batch.id),
    deleted: (await client.files.delete(file.id)).deleted,
  };
};

console.log(JSON.stringify(await main()));
