"use strict";

// The page asks for live.json and shows it. What a peer chose is only ever set as
// textContent: nothing is parsed as HTML.

const byId = (id) => document.getElementById(id);
const plot = new Plot(byId("plot"), byId("readout"));
const rows = new Map(); // peer id -> its row
let started = "", last = 0, lostSince = null;

// set changes a text only if it is another one, so that a selection stays.
function set(node, text) { if (node.textContent !== text) node.textContent = text; }

function bytes(n) {
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) if (n >= size) return trim(n / size) + " " + unit;
  return trim(n) + " B";
}

const count = (n) => n.toLocaleString("en");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

function duration(seconds) {
  const s = Math.floor(seconds);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h";
}

function trip(seconds) {
  if (!seconds) return "–";
  return seconds < 0.001 ? Math.round(seconds * 1e6) + " µs" : trim(seconds * 1e3) + " ms";
}

// why lists drops by reason: "1,204 hwm, 3 peer gone".
function why(...drops) {
  const sum = {};
  for (const d of drops) for (const [reason, n] of Object.entries(d)) if (reason !== "total") sum[reason] = (sum[reason] || 0) + n;
  return Object.entries(sum).sort((a, b) => b[1] - a[1]).map(([reason, n]) => count(n) + " " + reason.replaceAll("_", " ")).join(", ");
}

function showStats(s, peers) {
  const title = s.name || "Ringwire " + s.kind;
  set(byId("name"), title);
  set(byId("state"), s.state);
  byId("state").className = "pill " + s.state;
  set(byId("about"), `${s.kind}, ${s.frontend.type} to ${s.backend.type}, up ${duration(s.uptime_seconds)}`);
  set(byId("version"), "version " + s.version);
  byId("pause").hidden = s.state === "paused";
  byId("resume").hidden = s.state !== "paused";
  for (const id of ["pause", "resume", "drain"]) byId(id).disabled = s.state === "draining";

  const sides = [s.frontend, s.backend];
  const sum = (f) => sides.reduce((n, side) => n + f(side), 0);
  set(byId("in"), short(s.forward.messages_per_second + s.backward.messages_per_second) + "/s");
  set(byId("in-total"), `${count(s.forward.received_messages + s.backward.received_messages)} in all, ${bytes(s.forward.bytes_per_second + s.backward.bytes_per_second)}/s`);
  set(byId("out"), short(sum((x) => x.send.written_per_second)) + "/s");
  set(byId("out-total"), `${count(sum((x) => x.send.written))} in all`);
  set(byId("queued"), count(sum((x) => x.send.queued + x.recv.queued)));
  set(byId("queued-bytes"), bytes(sum((x) => x.send.queued_bytes)) + " to be sent");
  const dropped = sum((x) => x.send.dropped.total + x.recv.dropped.total);
  set(byId("dropped"), count(dropped));
  set(byId("dropped-why"), why(...sides.flatMap((x) => [x.send.dropped, x.recv.dropped])) || "nothing is lost");
  byId("dropped-box").classList.toggle("some", dropped > 0);

  const stalled = peers.filter((p) => p.state === "stalled").length;
  document.title = (stalled ? `(${stalled} stalled) ` : "") + title;
  byId("trouble").hidden = !stalled;
  const names = peers.filter((p) => p.state === "stalled").slice(0, 3).map((p) => p.name).join(", ");
  set(byId("trouble"), stalled ? `${plural(stalled, "peer")} stalled, nothing goes out to ${stalled === 1 ? "it" : "them"}: ${names}${stalled > 3 ? ", …" : ""}` : "");
}

// columns are what a row shows of a peer; the first two are special.
const columns = {
  frontend: [
    ["state"], ["peer"],
    ["in/s", (p) => short(p.recv.arrived_per_second)], ["arrived", (p) => count(p.recv.arrived)],
    ["waiting", (p) => count(p.recv.queued)], ["out/s", (p) => short(p.send.written_per_second)],
    ["queued", (p) => count(p.send.queued)], ["dropped", dropCell], ["round trip", (p) => trip(p.round_trip_seconds)], ["for", since],
  ],
  backend: [
    ["state"], ["peer"],
    ["out/s", (p) => short(p.send.written_per_second)], ["written", (p) => count(p.send.written)],
    ["queued", queueCell], ["dropped", dropCell], ["topics", (p) => count(p.subscriptions)],
    ["in/s", (p) => short(p.recv.arrived_per_second)], ["round trip", (p) => trip(p.round_trip_seconds)], ["for", since],
  ],
};

let clock = 0, hwm = -1; // of the answer that is shown

function since(p) { return p.ready && p.since ? duration(Math.max(0, (clock - Date.parse(p.since)) / 1000)) : "–"; }

function dropCell(p, cell) {
  const total = p.send.dropped.total + p.recv.dropped.total;
  cell.classList.toggle("bad", total > 0);
  pair(cell, count(total), why(p.send.dropped, p.recv.dropped));
}

function queueCell(p, cell) {
  pair(cell, count(p.send.queued), p.send.queued ? bytes(p.send.queued_bytes) : "");
  let bar = cell.querySelector(".bar");
  if (!bar) {
    bar = document.createElement("span");
    bar.className = "bar";
    bar.append(document.createElement("i"));
    cell.append(bar);
  }
  bar.firstChild.style.width = hwm > 0 ? Math.min(100, 100 * p.send.queued / hwm) + "%" : "0";
  bar.title = hwm > 0 ? `of at most ${count(hwm)} messages` : "without a limit";
}

// pair shows a text and a smaller one below it.
function pair(cell, text, below) {
  if (!cell.firstChild) cell.append(document.createElement("span"), document.createElement("small"));
  set(cell.children[0], text);
  set(cell.children[1], below);
}

function makeRow(side) {
  const row = document.createElement("tr");
  for (const [name] of columns[side]) {
    const cell = document.createElement("td");
    cell.dataset.name = name;
    row.append(cell);
  }
  const pill = document.createElement("span");
  row.children[0].append(pill);
  return row;
}

function showPeer(row, p) {
  row.className = p.state;
  set(row.children[0].firstChild, p.state);
  row.children[0].firstChild.className = "pill " + p.state;
  const details = [p.name !== p.remote && p.remote, p.type, p.version && "ZMTP " + p.version, p.connections > 1 && p.connections + " connections"];
  pair(row.children[1], p.name, details.filter(Boolean).join(", "));
  row.children[1].title = Object.entries(p.metadata || {}).map(([k, v]) => k + ": " + v).join("\n");
  columns[p.side].forEach(([, show], i) => {
    if (!show) return;
    const text = show(p, row.children[i]);
    if (text !== undefined) set(row.children[i], text);
  });
}

function showPeers(side, s, peers) {
  const box = byId(side), body = box.querySelector("tbody"), head = box.querySelector("thead");
  set(box.querySelector("h2"), `${s.role[0].toUpperCase()}${s.role.slice(1)} (${count(s.peers)})`);
  set(box.querySelector(".endpoints"), `${side}, ${s.type} at ${s.endpoints.join(", ") || "no endpoint"}` + (s.unmatched ? `; ${count(s.unmatched)} messages that nobody had subscribed to` : ""));
  if (!head.firstChild) {
    const line = document.createElement("tr");
    for (const [name] of columns[side]) line.append(Object.assign(document.createElement("th"), { textContent: name, scope: "col" }));
    head.append(line);
  }
  const rank = { stalled: 0, dropping: 1, connecting: 2, ok: 3 };
  peers.sort((a, b) => rank[a.state] - rank[b.state] || a.id - b.id);
  box.querySelector("table").classList.toggle("some", peers.length > 0);
  peers.forEach((p, i) => {
    let row = rows.get(p.id);
    if (!row) rows.set(p.id, row = makeRow(side));
    showPeer(row, p);
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] || null);
  });
}

function showEvents(events) {
  const list = byId("events"), key = JSON.stringify(events);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...events.slice().reverse().map((e) => {
    const item = document.createElement("li"), time = document.createElement("time");
    time.textContent = new Date(e.time).toLocaleTimeString();
    time.dateTime = e.time;
    const words = [e.kind + (e.times > 1 ? ` (${count(e.times)} times)` : ""), e.name, e.remote || e.endpoint, e.error || e.reason, e.unsent && e.unsent + " messages unsent"];
    item.append(time, e.side + ": " + words.filter(Boolean).join(", "));
    return item;
  }));
}

function show(live) {
  if (live.started !== started) { // another process: nothing of the old one stays
    started = live.started;
    plot.clear();
    for (const row of rows.values()) row.remove();
    rows.clear();
    if (last > 0) { last = 0; return; }
  }
  clock = Date.parse(live.stats.time);
  hwm = live.stats.send_hwm;
  if (live.history.length) last = live.history[live.history.length - 1].n;
  plot.add(live.history);
  showStats(live.stats, live.peers);
  for (const side of ["frontend", "backend"]) showPeers(side, live.stats[side], live.peers.filter((p) => p.side === side));
  const here = new Set(live.peers.map((p) => p.id));
  for (const [id, row] of rows) if (!here.has(id)) { row.remove(); rows.delete(id); }
  const more = live.all_peers - live.peers.length;
  byId("more").hidden = more <= 0;
  set(byId("more"), `and ${plural(more, "peer")} more, in peers.json; those in trouble come first`);
  showEvents(live.events);
}

// refresh asks when the answers that are on their way have come: points of the
// plot must come once.
let asking = Promise.resolve();

function refresh() { return asking = asking.then(ask); }

async function ask() {
  try {
    const answer = await fetch("live.json?since=" + last, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(answer.status + " " + answer.statusText);
    show(await answer.json());
    lostSince = null;
    byId("lost").hidden = true;
  } catch (err) {
    lostSince ??= new Date();
    byId("lost").hidden = false;
    set(byId("lost"), `No answer since ${lostSince.toLocaleTimeString()}: what is shown is old. ${err.message}`);
    set(byId("state"), "no answer");
    byId("state").className = "pill lost";
  }
}

async function loop() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((next) => setTimeout(next, 500));
  }
}

async function control(action) {
  const answer = await fetch(action, { method: "POST" }).catch((err) => ({ ok: false, statusText: err.message }));
  set(byId("done"), answer.ok ? "" : action + " failed: " + answer.statusText);
  await refresh();
}

byId("pause").addEventListener("click", () => control("pause"));
byId("resume").addEventListener("click", () => control("resume"));
byId("drain").addEventListener("click", () => { if (confirm("Deliver what is queued, and end the program?")) control("drain"); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
loop();
