// Writes a text word by word, as a language model does, into the socket for speech, and plays what is spoken.

import { LentKey } from "./lent-key.js";
import { Sound } from "./playground-sound.js";

const form = document.getElementById("writer");
const at = (id) => document.getElementById(id);
const key = new LentKey(form.dataset.key, form.elements.csrfmiddlewaretoken.value);
const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
let current = null;

async function write(socket, text, mine) {
  const words = text.match(/\S+\s*/g) ?? [];
  for (const word of words) {
    if (current !== mine) return;
    at("written").textContent += word;
    mine.lastPiece ??= performance.now();
    if (/[.!?]\s*$/.test(word) && !mine.sentence) mine.sentence = performance.now();
    socket.send(JSON.stringify({ text: word }));
    await pause(1000 / Number(at("pace").value));
  }
  socket.send(JSON.stringify({ text: "" }));
}

function show(message, sound, mine) {
  if (message.type === "chunk") {
    if (!sound.received) at("first-audio").textContent = `${Math.max(0, Math.round(performance.now() - (mine.sentence ?? mine.lastPiece)))} ms`;
    sound.add(bytes(message.data));
  } else if (message.type === "error") {
    throw new Error(message.error.message);
  } else if (message.type === "done") {
    at("cost").textContent = `$${message.usage.cost_usd}`;
  }
}

function fail(error) {
  at("problem").textContent = error.message;
  at("problem").hidden = false;
}

async function speak() {
  current?.end();
  const sound = new Sound(at("waveform"), (played) => { at("played").textContent = `${played.toFixed(2)} s`; });
  const mine = {};
  current = mine;
  at("problem").hidden = true;
  at("stop").hidden = false;
  at("written").textContent = "";
  ["first-audio", "played", "cost"].forEach((id) => { at(id).textContent = "–"; });
  try {
    const address = `${location.origin.replace(/^http/, "ws")}/v1/audio/speech/stream`;
    const socket = new WebSocket(address, ["speech", `openai-insecure-api-key.${await key.value()}`]);
    mine.end = () => { socket.close(); sound.stop(); };
    await new Promise((resolve, reject) => {
      socket.onopen = () => {
        socket.send(JSON.stringify({ model: form.dataset.model, voice: at("voice").value, response_format: "pcm" }));
        write(socket, at("text").value, mine);
      };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        try {
          show(message, sound, mine);
        } catch (error) {
          reject(error);
        }
        if (message.type === "done") resolve();
      };
      socket.onclose = () => (current === mine ? reject(new Error("The connection was lost. Try again.")) : resolve());
    });
    await sound.heard();
    socket.onclose = null;
    socket.close();
    at("state").textContent = "Done.";
  } catch (error) {
    if (current === mine) fail(error);
  } finally {
    sound.context.close();
    if (current === mine) {
      current = null;
      at("stop").hidden = true;
    }
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  speak();
});
at("stop").addEventListener("click", () => {
  const ending = current;
  current = null;
  ending?.end?.();
  at("stop").hidden = true;
  at("state").textContent = "Stopped.";
});
