// The playground: calls the public API with a key that is valid for minutes, and plays the audio as it arrives.

import * as code from "./playground-code.js";
import { Sound, follow } from "./playground-sound.js";

const form = document.getElementById("playground");
const at = (id) => document.getElementById(id);
const templates = JSON.parse(at("templates").textContent);
const EARLY_MS = 30_000; // a key that expires sooner is replaced
const LETTERS_PER_SECOND = 15; // as in `gateway.speech.speech_request`, for the estimate
const SYMBOL_WEIGHT = 5; // a digit or sign is read as a word
const WORDS = {
  insufficient_quota: "Your organization is out of credit. Add credit on the billing page and try again.",
  rate_limit_exceeded: "You reached your organization's rate limit.",
};

let key = null;
let current = null; // what is being generated or played: its sound, and how to stop it
let last = null; // the id of the last audio

class Refusal extends Error {}

async function lentKey() {
  if (key && Date.parse(key.expires_at) - Date.now() > EARLY_MS) return key.key;
  const headers = { "x-csrftoken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch(form.dataset.key, { method: "POST", headers });
  if (!answer.ok || answer.redirected) throw new Refusal("You are signed out, or can no longer use the playground. Reload the page.");
  key = await answer.json();
  return key.key;
}

// A call to the API. Another tab may have replaced the key: then we fetch it again, once.
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
  const lead = WORDS[error.code] ?? inWords(error);
  return new Refusal(wait ? `${lead} Try again in ${wait} s.` : lead);
}

// The API names a member of the request; the page names the field.
function inWords(error) {
  if (error.code === "nothing_to_speak") return "There are no words to speak in the text.";
  if (error.code === "string_above_max_length") return `The text is too long: at most ${at("text").dataset.most} characters.`;
  const field = [["messages", "Text"], ["audio.voice", "Voice"]].find(([start]) => error.param?.startsWith(start));
  return field ? error.message.replace(/^Invalid value for '[^']*': /, `${field[1]}: `) : error.message;
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
  at("generate").disabled = at("preview").disabled = true;
  at("state").textContent = "Waiting for audio …";
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
        at("state").textContent = "Playing …";
      }
      used = chunk.usage ?? used;
    }
    at("generate").disabled = at("preview").disabled = false; // the rest is only heard
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
      at("generate").disabled = at("preview").disabled = false;
      current = null;
      at("stop").hidden = true;
      if (away.signal.aborted) at("state").textContent = used ? `Stopped playing. All ${seconds(sound.received)} had been generated, so all are billed.` : "Stopped. You pay for the audio delivered until then; the request log shows the cost.";
    }
  }
}

function fail(error) {
  at("state").textContent = "";
  at("problem").textContent = error instanceof Refusal ? error.message : "The connection was lost. Try again.";
  at("problem").hidden = false;
}

// What is wrong with the text, if anything. It is not cut at a length: who pastes a book is told.
function problem(text) {
  const most = Number(at("text").dataset.most);
  if (!text.trim()) return "Enter some text first.";
  if (text.length > most) return `The text has ${text.length.toLocaleString("en-US")} characters. The limit is ${most.toLocaleString("en-US")} per request.`;
  return "";
}

async function load(id, format) {
  return (await call(`/audio/${id}?format=${format}`)).blob();
}

async function showPlayer(id) {
  const player = at("player");
  if (player.src) URL.revokeObjectURL(player.src);
  const blob = await load(id, "wav");
  player.src = URL.createObjectURL(blob);
  last = id;
  const show = await follow(at("waveform"), player, blob);
  if (!current) show(); // else the sound that is being played is shown
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

// What the text will cost, roughly: letters are spoken at an even pace, and signs are words.
function estimate(text) {
  const said = text.replace(/\[SPEAKER\d+\]/g, "").trim();
  if (!said || !Number(form.dataset.price)) return "";
  const weight = [...said].reduce((sum, character) => sum + (/[\p{L}\s.,;:!?'"’“”()-]/u.test(character) ? 1 : SYMBOL_WEIGHT), 0);
  const long = weight / LETTERS_PER_SECOND;
  const cost = (long * Number(form.dataset.price)) / 60;
  const time = long < 60 ? `${Math.max(1, Math.round(long))} s` : `${Math.floor(long / 60)} min ${Math.round(long % 60)} s`;
  return `About ${time}, $${cost.toFixed(cost < 0.01 ? 4 : 2)}`;
}

// The text and the settings outlive a reload of the page, in this tab.
const KEPT = ["text", "style", "voice", "second-voice", "format"];
function keep() {
  try { sessionStorage[form.dataset.draft] = JSON.stringify(Object.fromEntries(KEPT.map((id) => [id, at(id).value]))); } catch { /* no storage */ }
}
function restore() {
  let kept = {};
  try { kept = JSON.parse(sessionStorage[form.dataset.draft] ?? "{}"); } catch { /* no storage */ }
  for (const id of KEPT) {
    const options = [...(at(id).options ?? [])].map((option) => option.value);
    if (kept[id] !== undefined && (!options.length || options.includes(kept[id]))) at(id).value = kept[id];
  }
}

function change() {
  const body = request();
  const text = at("text").value;
  at("characters").textContent = text.length.toLocaleString("en-US");
  at("estimate").textContent = estimate(text);
  keep();
  at("second").hidden = !body.audio.voices;
  for (const name of ["curl", "python", "javascript"]) {
    const panel = at(`code-${name}`);
    const shown = code[name](form.dataset.baseUrl, body);
    panel.querySelector("code").textContent = shown;
    panel.querySelector("[data-copy]").dataset.copy = shown;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (at("generate").disabled) return;
  const wrong = problem(at("text").value);
  if (wrong) fail(new Refusal(wrong));
  else generate(request());
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit();
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
  if (button?.dataset.play) {
    current?.end();
    showPlayer(button.dataset.play).then(() => {
      at("result").scrollIntoView({ block: "nearest" });
      return at("player").play();
    }).catch(fail);
  }
  if (button?.dataset.template) {
    const chosen = templates[Number(button.dataset.template)];
    const own = at("text").value.trim() && !templates.some((each) => each.text === at("text").value);
    if (own && !confirm(`Replace your text with “${chosen.name}”?`)) return;
    for (const [id, value] of [["text", chosen.text], ["style", chosen.style], ["voice", chosen.voice], ["second-voice", chosen.second_voice]]) at(id).value = value;
    change();
  }
});
restore();
change();
