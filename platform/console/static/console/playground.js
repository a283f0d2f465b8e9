// The playground: a call to the public API with a key that is lent for minutes, heard as it arrives.

import * as code from "./playground-code.js";
import { Sound } from "./playground-sound.js";

const form = document.getElementById("playground");
const at = (id) => document.getElementById(id);
const templates = JSON.parse(at("templates").textContent);
const EARLY_MS = 30_000; // a key is not used so shortly before its end
const WORDS = {
  insufficient_quota: "The organization is out of credit. Top up on the billing page, then try again.",
  rate_limit_exceeded: "That is more than the organization's limit allows for the moment.",
};

let key = null;
let current = null; // what is being generated or heard: its sound and its way to end it
let last = null; // the id of the last audio

class Refusal extends Error {}

async function lentKey() {
  if (key && Date.parse(key.expires_at) - Date.now() > EARLY_MS) return key.key;
  const headers = { "x-csrftoken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch(form.dataset.key, { method: "POST", headers });
  if (!answer.ok || answer.redirected) throw new Refusal("You are signed out, or may no longer use the playground. Load the page again.");
  key = await answer.json();
  return key.key;
}

// A call to the API. Another tab may have been lent the key since: then it is asked for once more.
async function call(path, options = {}, again = true) {
  const headers = { authorization: `Bearer ${await lentKey()}`, "content-type": "application/json" };
  const answer = await fetch(`/v1${path}`, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401 && again) {
    key = null;
    return call(path, options, false);
  }
  throw refusal((await answer.json()).error, answer.headers.get("retry-after"));
}

function refusal(error, wait) {
  const lead = WORDS[error.code] ?? error.message;
  return new Refusal(wait ? `${lead} Try again in ${wait} s.` : lead);
}

function request() {
  const [text, style, voice] = ["text", "style", "voice"].map((id) => at(id).value.trim());
  const messages = [{ role: "user", content: text }];
  if (style) messages.unshift({ role: "system", content: style });
  const audio = { voice, format: "pcm16" };
  if (text.includes("[SPEAKER1]")) audio.voices = { SPEAKER0: voice, SPEAKER1: at("second-voice").value };
  const body = { model: form.dataset.model, modalities: ["text", "audio"], audio, messages, stream: true, stream_options: { include_usage: true } };
  form.querySelectorAll("[data-number]").forEach((input) => { if (input.value !== "") body[input.dataset.number] = Number(input.value); });
  return body;
}

async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (text + value).split("\n");
    text = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") yield JSON.parse(line.slice(6));
    }
  }
}

const seconds = (value) => `${value.toFixed(2)} s`;
const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

async function generate(body) {
  current?.end();
  const sound = new Sound(at("waveform"), (played) => { at("played").textContent = seconds(played); });
  const away = new AbortController();
  const mine = { end() { away.abort(); sound.stop(); } };
  current = mine;
  ["first-audio", "received", "played", "duration", "cost"].forEach((id) => { at(id).textContent = "–"; });
  at("problem").hidden = at("result").hidden = true;
  at("stop").hidden = false;
  at("state").textContent = "Waiting for the first sound …";
  const started = performance.now();
  let used = null;
  try {
    const answer = await call("/chat/completions", { method: "POST", body: JSON.stringify(body), signal: away.signal });
    for await (const chunk of events(answer)) {
      if (chunk.error) throw refusal(chunk.error, null);
      const audio = chunk.choices[0]?.delta.audio;
      if (audio?.id) last = audio.id;
      if (audio?.data) {
        if (!sound.received) at("first-audio").textContent = `${Math.round(performance.now() - started)} ms`;
        sound.add(bytes(audio.data));
        at("received").textContent = seconds(sound.received);
        at("state").textContent = "Speaking …";
      }
      used = chunk.usage ?? used;
    }
    if (used) {
      at("duration").textContent = seconds(used.audio_seconds);
      at("cost").textContent = `$${used.cost_usd}`;
    }
    await Promise.all([showHistory(), showPlayer(last)]);
    await sound.heard();
    if (!away.signal.aborted) at("state").textContent = "Done.";
  } catch (error) {
    if (!away.signal.aborted && current === mine) fail(error);
  } finally {
    sound.context.close();
    if (current === mine) {
      current = null;
      at("stop").hidden = true;
      if (away.signal.aborted) at("state").textContent = used ? "Stopped." : "Stopped. You pay for what was spoken until then; the request log has it.";
    }
  }
}

function fail(error) {
  at("state").textContent = "";
  at("problem").textContent = error instanceof Refusal ? error.message : "The connection broke. Try again.";
  at("problem").hidden = false;
}

async function load(id, format) {
  return (await call(`/audio/${id}?format=${format}`)).blob();
}

async function showPlayer(id) {
  const player = at("player");
  if (player.src) URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(await load(id, "wav"));
  last = id;
  at("result").hidden = false;
}

async function download() {
  const format = at("format").value;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await load(last, format));
  link.download = `${last}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function showHistory() {
  const answer = await fetch(form.dataset.history);
  if (answer.ok && !answer.redirected) at("history").innerHTML = await answer.text();
}

function change() {
  const body = request();
  at("characters").textContent = at("text").value.length;
  at("second").hidden = !body.audio.voices;
  for (const name of ["curl", "python", "javascript"]) {
    const panel = at(`code-${name}`);
    const text = code[name](form.dataset.baseUrl, body);
    panel.querySelector("code").textContent = text;
    panel.querySelector("[data-copy]").dataset.copy = text;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  generate(request());
});
form.addEventListener("input", change);
at("stop").addEventListener("click", () => current?.end());
at("preview").addEventListener("click", () => {
  const voice = at("voice").value;
  const said = [{ role: "user", content: `Hello, I am ${voice}. This is how I sound.` }];
  generate({ ...request(), messages: said, audio: { voice, format: "pcm16" } });
});
at("download").addEventListener("click", () => download().catch(fail));
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.play) showPlayer(button.dataset.play).then(() => at("player").play()).catch(fail);
  if (button?.dataset.template) {
    const chosen = templates[Number(button.dataset.template)];
    for (const [id, value] of [["text", chosen.text], ["style", chosen.style], ["voice", chosen.voice], ["second-voice", chosen.second_voice]]) at(id).value = value;
    change();
  }
});
change();
