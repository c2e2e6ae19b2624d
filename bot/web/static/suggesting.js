// What the text box may go on with: a list below it, for mouse and keyboard alike (an ARIA combobox).

import { ask } from "./sending.js";

const PAUSE_MS = 120;

export class Suggestions {
  #box;
  #list;
  #timer = 0;
  #asking = null;
  #at = -1;

  constructor(box, list) {
    this.#box = box;
    this.#list = list;
    box.addEventListener("input", () => this.#later());
    box.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    list.addEventListener("pointerdown", (event) => {
      const option = event.target.closest("[role=option]");
      if (!option) return;
      event.preventDefault();
      this.#take(option);
    });
  }

  /** Whether a key was for the list. */
  key(event) {
    const options = [...this.#list.children];
    if (this.#list.hidden || !options.length) return false;
    if (event.key === "Escape") {
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#mark((this.#at + step + options.length) % options.length);
    } else if (event.key === "Tab" && !event.shiftKey) {
      this.#take(options[Math.max(this.#at, 0)]);
    } else if (event.key === "Enter" && this.#at >= 0) {
      this.#take(options[this.#at]);
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#list.hidden = true;
    this.#at = -1;
    this.#box.setAttribute("aria-expanded", "false");
    this.#box.removeAttribute("aria-activedescendant");
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), PAUSE_MS);
  }

  async #look() {
    this.#asking?.abort();
    const text = this.#box.value;
    if (!text.trim()) return this.close();
    this.#asking = new AbortController();
    try {
      const found = await ask(`/suggest?text=${encodeURIComponent(text)}`, this.#asking.signal);
      if (this.#box.value === text && document.activeElement === this.#box) this.#show(found ?? []);
    } catch {
      // another letter was typed meanwhile, or we are away
    }
  }

  #show(found) {
    this.#list.replaceChildren(...found.map(({ text, label, help }, index) => {
      const option = document.createElement("li");
      option.id = `suggestion-${index}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.text = text;
      const words = document.createElement("span");
      words.textContent = label;
      words.dir = "auto";
      option.append(words);
      if (help) {
        const small = document.createElement("small");
        small.textContent = help;
        option.append(small);
      }
      return option;
    }));
    this.#at = -1;
    this.#list.hidden = !found.length;
    this.#box.setAttribute("aria-expanded", String(found.length > 0));
    this.#box.removeAttribute("aria-activedescendant");
  }

  #mark(index) {
    this.#at = index;
    for (const [place, option] of [...this.#list.children].entries()) {
      option.setAttribute("aria-selected", String(place === index));
    }
    const marked = this.#list.children[index];
    this.#box.setAttribute("aria-activedescendant", marked.id);
    marked.scrollIntoView({ block: "nearest" });
  }

  #take(option) {
    this.#box.value = option.dataset.text;
    this.close();
    this.#box.focus();
    this.#box.dispatchEvent(new Event("input"));
  }
}
