// 16-bit PCM of 24 kHz as it arrives, played without gaps and drawn as a waveform.

const RATE = 24000;
const LEAD_SECONDS = 0.08; // between the first piece's arrival and its sound
const BAR_SAMPLES = 960;

export class Sound {
  constructor(canvas, onplayed) {
    this.canvas = canvas;
    this.onplayed = onplayed;
    this.context = new AudioContext({ sampleRate: RATE });
    this.sources = new Set();
    this.until = 0;
    this.begun = null;
    this.received = 0;
    this.played = 0;
    this.peaks = [];
    this.rest = new Uint8Array(0);
    this.draw();
  }

  add(bytes) {
    const joined = new Uint8Array(this.rest.length + bytes.length);
    joined.set(this.rest);
    joined.set(bytes, this.rest.length);
    const count = joined.length >> 1;
    this.rest = joined.slice(count * 2);
    if (!count) return;
    const view = new DataView(joined.buffer);
    const samples = Float32Array.from({ length: count }, (_, at) => view.getInt16(at * 2, true) / 32768);
    this.peaks.push(...peaksOf(samples));
    const buffer = this.context.createBuffer(1, count, RATE);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    this.until = Math.max(this.until, this.context.currentTime + LEAD_SECONDS);
    this.begun ??= this.until;
    source.start(this.until);
    this.until += buffer.duration;
    this.received += buffer.duration;
    this.sources.add(source);
    source.onended = () => {
      if (!this.sources.delete(source)) return;
      this.played += buffer.duration;
      this.onplayed(this.played);
      this.draw();
      if (this.finished && !this.sources.size) this.finished();
    };
    this.draw();
  }

  // Resolves once all that was received has been heard.
  heard() {
    return new Promise((resolve) => { if (this.sources.size) this.finished = resolve; else resolve(); });
  }

  stop() {
    const sources = [...this.sources];
    this.sources.clear();
    sources.forEach((source) => source.stop());
    this.finished?.();
  }

  draw() {
    paint(this.canvas, this.peaks, this.received ? this.played / this.received : 0);
  }
}

function peaksOf(samples) {
  const peaks = [];
  for (let at = 0; at < samples.length; at += BAR_SAMPLES) {
    peaks.push(samples.subarray(at, at + BAR_SAMPLES).reduce((top, value) => Math.max(top, Math.abs(value)), 0));
  }
  return peaks;
}

const barWidth = (canvas, peaks) => Math.min(4, canvas.clientWidth / Math.max(peaks.length, 1));

// `heard` is the part from 0 to 1 that was played.
function paint(canvas, peaks, heard) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const pen = canvas.getContext("2d");
  pen.scale(devicePixelRatio, devicePixelRatio);
  pen.fillStyle = getComputedStyle(canvas).color;
  const step = barWidth(canvas, peaks);
  peaks.forEach((peak, at) => {
    const tall = Math.max(2, peak * (height - 12));
    pen.globalAlpha = at < heard * peaks.length ? 1 : 0.4;
    pen.fillRect(at * step, (height - tall) / 2, Math.max(step * 0.7, 0.5), tall);
  });
}

// Ties the waveform to a player with a finished audio: it follows the player, and a click seeks in it.
export async function follow(canvas, player, blob) {
  const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await blob.arrayBuffer());
  const peaks = peaksOf(decoded.getChannelData(0));
  const show = () => paint(canvas, peaks, player.currentTime / decoded.duration);
  player.ontimeupdate = player.onseeked = player.onplay = show;
  canvas.onclick = (event) => {
    player.currentTime = Math.min(1, event.offsetX / (barWidth(canvas, peaks) * peaks.length)) * decoded.duration;
  };
  return show;
}
