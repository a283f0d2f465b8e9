// The voices page: record into the form's file field, and listen before it is sent. Without it, files are uploaded.

"use strict";

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const RAW = { echoCancellation: false, noiseSuppression: false, channelCount: 1 };  // a clone copies what they do

function setUpPhrases(form) {
  const phrases = [...form.querySelectorAll("[data-phrase]")];
  const language = form.querySelector("[name=language]");
  if (!language) return;
  const show = () => phrases.forEach((phrase) => { phrase.hidden = phrase.lang !== language.value; });
  language.addEventListener("change", show);
  show();
}

function setUpRecorder(input) {
  const most = Number(input.dataset.recorder);
  const row = document.createElement("div");
  row.className = "recorder";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = "Record";
  const state = document.createElement("span");
  state.className = "soft small";
  state.setAttribute("role", "status");
  const level = document.createElement("meter");
  level.className = "level";
  level.setAttribute("aria-label", "Level");
  level.hidden = true;
  const player = document.createElement("audio");
  player.controls = true;
  player.hidden = true;
  player.setAttribute("aria-label", "What you have recorded or chosen");
  row.append(button, level, state, player);
  input.after(row);

  let recorder = null;

  function listen() {
    const file = input.files[0];
    if (player.src) URL.revokeObjectURL(player.src);
    player.hidden = !file;
    if (file) player.src = URL.createObjectURL(file);
  }

  function meter(stream) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    const samples = new Float32Array(analyser.fftSize);
    context.createMediaStreamSource(stream).connect(analyser);
    level.hidden = false;
    const began = performance.now();
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      level.value = Math.min(1, 3 * Math.hypot(...samples) / Math.sqrt(samples.length));
      const seconds = (performance.now() - began) / 1000;
      state.textContent = `${seconds.toFixed(0)} of ${most} s`;
      if (seconds >= most - 0.5) recorder?.stop();
    }, 100);
    return () => { clearInterval(timer); context.close(); level.hidden = true; };
  }

  async function start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: RAW });
    } catch (error) {
      state.textContent = error.name === "NotFoundError" ? "No microphone was found." : "The browser may not use the microphone.";
      return;
    }
    const pieces = [];
    const type = TYPES.find((each) => MediaRecorder.isTypeSupported(each));
    recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
    const stopMeter = meter(stream);
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    recorder.addEventListener("stop", () => {
      stopMeter();
      stream.getTracks().forEach((track) => track.stop());
      const kind = recorder.mimeType.split(";")[0];
      const ending = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg" }[kind] ?? "webm";
      const files = new DataTransfer();
      files.items.add(new File(pieces, `recording.${ending}`, { type: kind }));
      input.files = files.files;
      recorder = null;
      button.textContent = "Record again";
      state.textContent = "Listen to it before you send it.";
      listen();
    });
    recorder.start();
    button.textContent = "Stop";
    player.hidden = true;
  }

  button.addEventListener("click", () => (recorder ? recorder.stop() : start()));
  input.addEventListener("change", listen);
}

document.querySelectorAll("form[data-recording]").forEach(setUpPhrases);
if (navigator.mediaDevices?.getUserMedia && "MediaRecorder" in window) {
  document.querySelectorAll("input[data-recorder]").forEach(setUpRecorder);
}
