// The wall's little script: copying, the film, and what is live. Everything else works without it.

import { listen } from "./listening.js";

const shown = (element) => { if (element) element.hidden = false; };

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not over plain http
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  shown(button);
  button.addEventListener("click", async () => {
    await copy(document.getElementById(button.dataset.copy).textContent);
    button.focus();
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-film]")) {
  const picture = document.getElementById("picture");
  const still = { src: picture.src, alt: picture.alt, label: button.textContent };
  let playing = false;
  shown(button);
  button.addEventListener("click", () => {
    playing = !playing;
    picture.src = playing ? button.dataset.film : still.src;
    picture.alt = playing ? button.dataset.alt : still.alt;
    button.textContent = playing ? button.dataset.stop : still.label;
  });
}

const live = document.querySelector("[data-live]");
if (live) {
  let first = null;
  const message = (event) => {
    const told = JSON.parse(event.data);
    const now = live.querySelector("[data-now]");
    if (now.textContent !== told.now) now.textContent = told.now;
    first ??= told.fresh;
    if (told.fresh !== first) shown(live.querySelector("[data-fresh]"));
  };
  listen(live.dataset.live, { hear: { message } });
}
