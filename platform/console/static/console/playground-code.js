// A request as code that makes it: curl, Python, JavaScript.

const OURS = ["top_k"]; // what OpenAI's Python client has no argument for

export function curl(url, body) {
  const data = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return `curl -sSN ${url}/chat/completions \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${data}'`;
}

export function python(url, body) {
  const own = Object.fromEntries(Object.entries(body).filter(([name]) => OURS.includes(name)));
  const named = Object.entries(body).filter(([name]) => !OURS.includes(name));
  if (Object.keys(own).length) named.push(["extra_body", own]);
  const lines = named.map(([name, value]) => `    ${name}=${literal(value)},`).join("\n");
  return `# pip install openai
import base64
import os
from openai import OpenAI

client = OpenAI(base_url="${url}", api_key=os.environ["OPENAI_API_KEY"])
chunks = client.chat.completions.create(
${lines}
)
with open("speech.pcm", "wb") as file:  # 24,000 samples a second, 16 bits, mono
    for chunk in chunks:
        delta = chunk.choices[0].delta.model_dump() if chunk.choices else {}
        file.write(base64.b64decode((delta.get("audio") or {}).get("data") or ""))
        if chunk.usage:
            print(chunk.usage.audio_seconds, "s for $", chunk.usage.cost_usd)`;
}

export function javascript(url, body) {
  return `// npm install openai
import { createWriteStream } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${url}", apiKey: process.env.OPENAI_API_KEY });
const chunks = await client.chat.completions.create(${JSON.stringify(body, null, 2)});
const file = createWriteStream("speech.pcm"); // 24,000 samples a second, 16 bits, mono
for await (const chunk of chunks) {
  const data = chunk.choices[0]?.delta.audio?.data;
  if (data) file.write(Buffer.from(data, "base64"));
  if (chunk.usage) console.log(chunk.usage.audio_seconds, "s for $", chunk.usage.cost_usd);
}
file.end();`;
}

function literal(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `"${name}": ${literal(each)}`).join(", ")}}`;
}
