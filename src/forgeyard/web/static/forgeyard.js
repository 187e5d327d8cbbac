// What pages do beyond htmx: copy a command, filter a table, follow and search a log.
// Everything that is to be read is in the page without this file.
"use strict";

function showScripted(root) {
  root.querySelectorAll(".copy, .filter, .only-script").forEach((part) => { part.hidden = false; });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(button.previousElementSibling);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = words; }, 1500);
});

document.addEventListener("input", (event) => {
  const table = event.target.dataset.filter && document.querySelector(event.target.dataset.filter);
  if (!table) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
});

// A live part is changed in place: what a person has opened or focused stays as it is.
if (window.Idiomorph) {
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node.tagName === "DETAILS") && !(name === "hidden" && node.matches(".copy"));
}

// ── the log ──────────────────────────────────────────────────────────────────────────

const log = { source: null, hits: [], at: -1, phase: "" };

function startLog() {
  if (log.source) log.source.close();
  log.source = null;
  const section = document.getElementById("log");
  if (!section) return;
  showScripted(section);
  const lines = document.getElementById("log-lines");
  if (!lines) return;
  const last = lines.lastElementChild;
  const phases = lines.querySelectorAll("[data-phase]");
  log.phase = phases.length ? phases[phases.length - 1].dataset.phase : "";
  if ("growing" in section.dataset) followLog(section, lines, last ? Number(last.id.slice(1)) : 0);
  const box = document.getElementById("log-search");
  box.addEventListener("input", () => search(lines, box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); goToHit(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") { box.value = ""; search(lines, ""); }
  });
  document.getElementById("log-next").addEventListener("click", () => goToHit(1));
  document.getElementById("log-previous").addEventListener("click", () => goToHit(-1));
  if (location.hash.match(/^#L\d+$/)) document.querySelector(location.hash)?.scrollIntoView({ block: "center" });
}

function followLog(section, lines, after) {
  const source = new EventSource(`${section.dataset.live}&after=${after}`);
  log.source = source;
  source.addEventListener("lines", (event) => {
    const fresh = document.createDocumentFragment();
    for (const line of JSON.parse(event.data)) {
      if (document.getElementById(`L${line.n}`)) continue;
      fresh.append(drawn(line));
    }
    lines.append(fresh);
    const box = document.getElementById("log-search");
    if (box.value) search(lines, box.value, true);
    // Scrolling is for those who look at the log's end, not for those who read above it.
    if (document.getElementById("log-follow").checked && nearEnd(lines)) {
      lines.lastElementChild?.scrollIntoView({ block: "end" });
    }
  });
  source.addEventListener("end", () => {
    source.close();
    const end = document.getElementById("log-end");
    end.textContent = "The attempt has ended.";
    delete section.dataset.growing;
  });
}

function drawn(line) {
  const row = document.createElement("div");
  row.className = `ln ${["info", "warn", "error", "cmd"].includes(line.l) ? line.l : ""}`;
  row.id = `L${line.n}`;
  if (line.p !== log.phase) {
    row.classList.add("first");
    row.dataset.phase = log.phase = line.p;
    addPhase(line);
  }
  const number = document.createElement("a");
  number.className = "no";
  number.href = `#L${line.n}`;
  number.textContent = line.n;
  number.setAttribute("aria-label", `Line ${line.n}`);
  const time = document.createElement("span");
  time.className = "t";
  time.textContent = line.t.toFixed(1);
  const text = document.createElement("span");
  text.className = "m";
  text.innerHTML = line.html; // escaped by the server; only its own spans are in it
  row.append(number, time, text);
  return row;
}

function addPhase(line) {
  const link = document.createElement("a");
  link.href = `#L${line.n}`;
  link.textContent = `${line.p} `;
  const time = document.createElement("span");
  time.className = "muted num";
  time.textContent = `${line.t.toFixed(1)} s`;
  link.append(time);
  document.querySelector(".phases")?.append(link);
}

function nearEnd(lines) {
  return lines.getBoundingClientRect().bottom < innerHeight + 600;
}

function search(lines, words, quiet) {
  for (const row of lines.querySelectorAll(".hit, .hit-now")) row.classList.remove("hit", "hit-now");
  for (const found of lines.querySelectorAll("mark")) found.replaceWith(...found.childNodes);
  const wanted = words.trim().toLowerCase();
  log.hits = [];
  if (!quiet) log.at = -1;
  if (wanted) {
    for (const row of lines.children) {
      const text = row.querySelector(".m");
      if (!text.textContent.toLowerCase().includes(wanted)) continue;
      row.classList.add("hit");
      log.hits.push(row);
      if (log.hits.length <= 2000) highlight(text, wanted);
    }
  }
  if (wanted && log.hits.length && !quiet) goToHit(1); else sayHits(wanted);
}

function highlight(element, wanted) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    let rest = node;
    let place;
    while ((place = rest.data.toLowerCase().indexOf(wanted)) >= 0) {
      const found = rest.splitText(place);
      rest = found.splitText(wanted.length);
      const mark = document.createElement("mark");
      found.replaceWith(mark);
      mark.append(found);
    }
  }
}

function goToHit(step) {
  if (!log.hits.length) return;
  log.hits[log.at]?.classList.remove("hit-now");
  log.at = (log.at + step + log.hits.length) % log.hits.length;
  log.hits[log.at].classList.add("hit-now");
  log.hits[log.at].scrollIntoView({ block: "center" });
  sayHits(true);
}

function sayHits(wanted) {
  const place = document.getElementById("log-hits");
  place.textContent = !wanted ? "" : log.hits.length ? `${log.at + 1} of ${log.hits.length}` : "no hits";
}

// When the build has gone on to its next attempt, the page shows that one's log.
async function changeLog() {
  const section = document.getElementById("log");
  const newest = document.getElementById("newest");
  if (!section || !newest || !("following" in section.dataset)) return;
  if (!newest.dataset.attempt || newest.dataset.attempt === (section.dataset.attempt || "")) return;
  const answer = await fetch(location.pathname);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("log");
  if (!fresh) return;
  document.getElementById("log").replaceWith(fresh);
  startLog();
}

document.addEventListener("htmx:afterSettle", () => { showScripted(document); changeLog(); });
document.addEventListener("DOMContentLoaded", () => { showScripted(document); startLog(); });
addEventListener("pagehide", () => log.source?.close());
