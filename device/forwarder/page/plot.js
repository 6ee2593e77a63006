"use strict";

// Plot draws what moved in the last minutes. Its colours are those of the page.
class Plot {
  static seconds = 300; // that are kept
  static spans = [60, 120, 300]; // the shortest that has them all is shown
  static lines = ["queued", "in", "out", "dropped"]; // later ones over earlier ones

  constructor(canvas, readout) {
    this.canvas = canvas;
    this.readout = readout;
    this.points = [];
    this.at = null; // where the pointer is
    canvas.addEventListener("pointermove", (e) => { this.at = e.offsetX; this.draw(); });
    canvas.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  add(points) {
    this.points = this.points.concat(points).slice(-Plot.seconds);
    this.draw();
  }

  clear() { this.points = []; }

  // ceiling is a round number that is not below max.
  static ceiling(max) {
    const power = 10 ** Math.floor(Math.log10(Math.max(max, 1)));
    for (const step of [1, 2, 5, 10]) if (step * power >= max) return step * power;
    return 10 * power;
  }

  draw() {
    const ratio = window.devicePixelRatio || 1, width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (!width) return;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const g = this.canvas.getContext("2d");
    g.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue("--" + name).trim();
    const left = 46, bottom = height - 18, top = 8, right = width - 4;
    const now = this.points.length ? this.points[this.points.length - 1].t : Date.now();
    const past = this.points.length ? (now - this.points[0].t) / 1000 : 0;
    const span = Plot.spans.find((s) => s >= past) || Plot.seconds;
    const x = (t) => right - (now - t) / 1000 / span * (right - left);
    let max = 1;
    for (const p of this.points) for (const name of Plot.lines) max = Math.max(max, p[name]);
    max = Plot.ceiling(max);
    const y = (v) => bottom - v / max * (bottom - top);

    g.font = "11px system-ui, sans-serif";
    g.fillStyle = color("dim");
    g.strokeStyle = color("line");
    g.lineWidth = 1;
    g.textAlign = "right";
    for (let i = 0; i <= 4; i++) {
      const at = Math.round(y(max * i / 4)) + 0.5;
      g.beginPath(); g.moveTo(left, at); g.lineTo(right, at); g.stroke();
      if (i % 2 === 0) g.fillText(short(max * i / 4), left - 6, at + 4);
    }
    const parts = span === 300 ? 5 : 4, step = width < 500 ? 2 : 1;
    for (let part = 0; part <= parts; part += step) {
      const ago = span * part / parts;
      g.textAlign = part === 0 ? "right" : part === parts ? "left" : "center";
      g.fillText(part === 0 ? "now" : "−" + (span === 300 ? ago / 60 + " min" : ago + " s"), x(now - ago * 1000), height - 4);
    }

    g.lineJoin = "round";
    for (const name of Plot.lines) {
      g.strokeStyle = color(name);
      g.lineWidth = name === "queued" ? 1.25 : 2;
      g.setLineDash(name === "queued" ? [4, 3] : []);
      g.beginPath();
      this.points.forEach((p, i) => i ? g.lineTo(x(p.t), y(p[name])) : g.moveTo(x(p.t), y(p[name])));
      g.stroke();
    }
    g.setLineDash([]);
    this.read(g, x, top, bottom, color("dim"));
  }

  // read shows the values where the pointer is.
  read(g, x, top, bottom, color) {
    this.readout.textContent = "";
    if (this.at === null || !this.points.length) return;
    const near = this.points.reduce((a, b) => Math.abs(x(b.t) - this.at) < Math.abs(x(a.t) - this.at) ? b : a);
    g.strokeStyle = color;
    g.lineWidth = 1;
    g.beginPath(); g.moveTo(x(near.t), top); g.lineTo(x(near.t), bottom); g.stroke();
    this.readout.textContent = `${new Date(near.t).toLocaleTimeString()}: in ${short(near.in)}/s, out ${short(near.out)}/s, dropped ${short(near.dropped)}/s, queued ${short(near.queued)}`;
  }
}

// short is a number that fits: 12.3k.
function short(n) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (n >= size) return trim(n / size) + unit;
  return trim(n);
}

function trim(n) { return n >= 100 || Number.isInteger(n) ? Math.round(n).toString() : n.toFixed(n >= 10 ? 1 : n >= 0.1 ? 1 : 2); }
