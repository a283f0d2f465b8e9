// Plays a sentence with and without a dictionary, through the public API.

import { LentKey } from "./lent-key.js";

const page = document.getElementById("pronunciation");
const key = new LentKey(page.dataset.key, page.querySelector("[name=csrfmiddlewaretoken]").value);
let player = null;

async function play(card, pronunciation) {
  const state = card.querySelector("[data-state]");
  state.textContent = "Waiting for audio …";
  try {
    const body = { model: page.dataset.model, input: card.querySelector("[data-say]").value, response_format: "mp3", pronunciation };
    const headers = { authorization: `Bearer ${await key.value()}`, "content-type": "application/json" };
    const answer = await fetch("/v1/audio/speech", { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    player?.pause();
    player = new Audio(URL.createObjectURL(await answer.blob()));
    await player.play();
    state.textContent = "";
  } catch (error) {
    state.textContent = error.message;
  }
}

page.querySelectorAll("[data-dictionary]").forEach((card) => {
  card.querySelector("[data-listen]").addEventListener("click", () => play(card, card.dataset.dictionary));
  card.querySelector("[data-plain]").addEventListener("click", () => play(card, "none"));
});
