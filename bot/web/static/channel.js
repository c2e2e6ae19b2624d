// The channel: cards that change as they are dreamt, the text box, and what the buttons do.

import { exchange, press, show } from "./cards.js";
import { listen } from "./listening.js";
import { ask, element, newWish, send, status } from "./sending.js";
import { Suggestions } from "./suggesting.js";
import { tell } from "./times.js";

const byId = (id) => document.getElementById(id);
const list = byId("cards");
const answers = byId("answers");
const box = byId("text");
const form = byId("say");
const away = byId("away");

// ------------------------------------------------------------------ live

listen("/events", {
  hear: {
    here: async () => {
      away.hidden = true;
      await catchUp(); // what happened while nobody listened
    },
    card: (event) => {
      const { key, html } = JSON.parse(event.data);
      newer?.add(key);
      shown(key, html);
    },
  },
  lost: () => { away.hidden = false; },
  refused: async () => {
    const isStranger = (await status("/cards")) === 401;
    if (isStranger) location.reload();
    return isStranger;
  },
});

let newer = null; // the cards that were told of while older news is on its way

async function catchUp() {
  const meanwhile = (newer = new Set());
  const newest = await ask("/cards").catch(() => null);
  if (newer === meanwhile) newer = null;
  else return; // it was asked for once more
  if (!newest) return;
  const there = new Set(newest.cards.map(({ key }) => key));
  const oldest = newest.cards.length ? Math.min(...newest.cards.map(({ number }) => number)) : 0;
  for (const card of [...list.children]) {
    const isGone = Number(card.dataset.number) >= oldest && !there.has(card.id);
    if (isGone && !meanwhile.has(card.id)) show(card.id, "");
  }
  for (const { key, html } of newest.cards) if (!meanwhile.has(key)) shown(key, html);
}

function shown(key, html) {
  const follow = atEnd();
  const fresh = show(key, html);
  if (fresh && follow) toEnd();
}

const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 160;
const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

byId("earlier").addEventListener("click", async () => {
  const first = list.firstElementChild;
  const found = await ask(`/cards?before=${first?.dataset.number ?? ""}`);
  if (!found) return;
  const height = document.documentElement.scrollHeight;
  for (const { key, html } of found.cards) show(key, html);
  scrollBy({ top: document.documentElement.scrollHeight - height });
  byId("earlier").hidden = !found.has_more;
});

// ---------------------------------------------------------------- answers

const READING_MS = 8000; // for a sentence that says what the cards show soon, too

/** For whoever did something, and nobody else. */
function answer({ ok, html, sentence }) {
  if (!html && !sentence) return;
  let said;
  if (html) {
    said = element(html);
  } else {
    said = document.createElement("div");
    said.className = "answer";
    const words = document.createElement("p");
    words.textContent = sentence;
    said.append(words);
  }
  if (!said.textContent.trim()) return;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.textContent = "×";
  close.setAttribute("aria-label", answers.dataset.close);
  close.addEventListener("click", () => {
    answers.replaceChildren();
    box.focus();
  });
  said.append(close);
  answers.replaceChildren(said);
  tell(said);
  const hasMore = said.querySelector("h3, ul, li");
  if (ok && !hasMore) setTimeout(() => said.matches(":hover, :focus-within") || said.remove(), READING_MS);
}

// --------------------------------------------------------------- text box

const suggestions = new Suggestions(box, byId("suggestions"));
const image = byId("image");
const detach = byId("detach");
let once = newWish();

box.addEventListener("input", fit);
box.addEventListener("keydown", (event) => {
  if (suggestions.key(event)) return;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.dataset.busy) return;
  suggestions.close();
  form.dataset.busy = "1";
  const text = box.value;
  const sent = new FormData();
  sent.append("text", text);
  if (image.files.length) sent.append("image", image.files[0]);
  const said = await send("/say", sent, { once });
  delete form.dataset.busy;
  if (said.gone) {
    away.hidden = false; // the words stay, and the same wish may be sent again
    return;
  }
  if (said.ok) {
    if (box.value === text) box.value = ""; // else the next words are being typed already
    withoutPicture();
    fit();
  }
  once = newWish();
  answer(said);
  toEnd();
});
byId("surprise").addEventListener("click", async () => {
  const found = await ask("/surprise");
  if (!found) return;
  box.value = found.text;
  form.requestSubmit();
});
image.addEventListener("change", () => {
  if (!image.files.length) return withoutPicture();
  const preview = detach.querySelector("img");
  preview.src = URL.createObjectURL(image.files[0]);
  detach.hidden = false;
});
detach.addEventListener("click", withoutPicture);

function withoutPicture() {
  image.value = "";
  const preview = detach.querySelector("img");
  if (preview.src) URL.revokeObjectURL(preview.src);
  preview.removeAttribute("src");
  detach.hidden = true;
}

/** As tall as its words. */
function fit() {
  box.rows = Math.min(6, Math.max(1, box.value.split("\n").length, Math.ceil(box.value.length / 60)));
}

// ---------------------------------------------------------------- buttons

list.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  const card = event.target.closest(".card");
  if (!button || !card) return;
  const { action, vote, choose } = button.dataset;
  const [kind, id] = card.dataset.key.split("-");
  if (button.dataset.reveal !== undefined) {
    button.closest("[data-spoiler]").classList.add("shown");
  } else if (vote !== undefined) {
    await toggled(button, `/dreams/${id}/votes`, { emoji: vote });
  } else if (choose !== undefined) {
    await toggled(button, `/choices/${id}/votes`, { number: choose });
  } else if (action === "timelapse") {
    film(button, card, id);
  } else if (action === "edit") {
    await edit(card, id);
  } else if (action === "delete") {
    if (await chosen(byId("delete"))) answer(await send(`/dreams/${id}/delete`));
  } else if (action) {
    button.disabled = true;
    answer(await send(`/${kind === "choice" ? "choices" : "dreams"}/${id}/${action}`, {}, { once: newWish() }));
    button.disabled = false;
  }
});

async function toggled(button, address, fields) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  const said = await send(address, { ...fields, on: on ? "1" : "0" });
  if (!said.ok) {
    button.setAttribute("aria-pressed", String(!on));
    answer(said);
  }
}

function film(button, card, id) {
  const picture = card.querySelector("img.picture");
  const on = button.getAttribute("aria-pressed") !== "true";
  press(button, on);
  exchange(picture, on ? `/dreams/${id}/timelapse` : `/dreams/${id}/picture`, picture.alt);
}

async function edit(card, id) {
  const dialog = byId("edit");
  const fields = dialog.querySelector("form");
  const words = card.querySelector(".words");
  fields.prompt.value = words.dataset.prompt;
  fields.avoid.value = words.dataset.avoid;
  fields.from_here.value = "0";
  if (!(await chosen(dialog))) return;
  const said = { prompt: fields.prompt.value, avoid: fields.avoid.value, from_here: fields.from_here.value };
  answer(await send(`/dreams/${id}/edit`, said, { once: newWish() }));
}

/** Ask in a dialog; whether the answer was yes. */
function chosen(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// ------------------------------------------------------------------ begin

if (!location.hash) toEnd();
if (matchMedia("(hover: hover)").matches) box.focus({ preventScroll: true });
