// Puts cards where they belong, each in the place of its older self, without a flash and without losing a focus.

import { element } from "./sending.js";
import { tell } from "./times.js";

const list = document.getElementById("cards");
const nothing = document.getElementById("nothing");

/** Show a card as it is now; '' takes it away. Gives it, if it is new. */
export function show(key, html) {
  const old = document.getElementById(key);
  if (!html) {
    old?.remove();
    nothing.hidden = list.childElementCount > 0;
    return null;
  }
  const card = element(html);
  nothing.hidden = true;
  if (old) {
    replace(old, card);
  } else {
    place(card);
  }
  tell(card);
  return old ? null : card;
}

function place(card) {
  const number = Number(card.dataset.number);
  const after = [...list.children].find((one) => Number(one.dataset.number) > number);
  list.insertBefore(card, after ?? null);
}

function replace(old, card) {
  const focus = old.contains(document.activeElement) ? name(document.activeElement) : null;
  for (const [index, details] of [...old.querySelectorAll("details")].entries()) {
    const next = card.querySelectorAll("details")[index];
    if (next) next.open = details.open;
  }
  if (old.querySelector("[data-spoiler].shown")) card.querySelector("[data-spoiler]")?.classList.add("shown");
  const had = old.querySelector("img.picture");
  const next = card.querySelector("img.picture");
  if (had && next) {
    const film = old.querySelector('[data-action="timelapse"][aria-pressed="true"]');
    next.replaceWith(had); // the old picture stays until the new one is there
    if (film) {
      const button = card.querySelector('[data-action="timelapse"]');
      if (button) press(button, true);
    } else if (had.getAttribute("src") !== next.getAttribute("src")) {
      exchange(had, next.getAttribute("src"), next.alt);
    }
  }
  old.replaceWith(card);
  if (focus) card.querySelector(focus)?.focus({ preventScroll: true });
}

/** Let another picture take the place of one, once it can be drawn. */
export async function exchange(had, address, alt) {
  const picture = new Image(had.width, had.height);
  picture.className = "picture";
  picture.alt = alt;
  had.dataset.next = address;
  picture.src = address;
  try {
    await picture.decode();
  } catch {
    return; // it is gone already; a newer one comes
  }
  if (had.isConnected && had.dataset.next === address) had.replaceWith(picture);
}

/** A button that is either on or off. */
export function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? button.dataset.off : button.dataset.on;
}

function name(focused) {
  for (const key of ["action", "vote", "choose"]) {
    if (focused.dataset[key] !== undefined) return `[data-${key}="${CSS.escape(focused.dataset[key])}"]`;
  }
  return focused.matches("summary") ? "summary" : null;
}
