// Sends what a person does, with the token that only our own pages have.

const token = document.querySelector('meta[name="token"]').content;

/** POST to one of our addresses; gives {sentence, html}, also of what was refused. `body`: fields, or a form. */
export async function send(address, body = {}, { once } = {}) {
  const headers = { "X-Token": token, Accept: "application/json" };
  if (once) headers["X-Once"] = once;
  const form = body instanceof FormData ? body : new URLSearchParams(body);
  return answered(fetch(address, { method: "POST", headers, body: form, credentials: "same-origin" }));
}

/** GET JSON from one of our addresses. */
export async function ask(address, signal) {
  const headers = { Accept: "application/json" };
  const response = await fetch(address, { headers, signal, credentials: "same-origin" });
  return response.ok ? response.json() : null;
}

async function answered(going) {
  try {
    const response = await going;
    const said = await response.json();
    return { ok: response.ok, sentence: said.sentence ?? "", html: said.html ?? "" };
  } catch {
    return { ok: false, sentence: "", html: "", gone: true };
  }
}

/** A name for one wish; `crypto.randomUUID` is not there over plain http from another machine. */
export function unique() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** The element that some HTML of ours stands for. */
export function element(html) {
  return document.importNode(new DOMParser().parseFromString(html, "text/html").body.firstElementChild, true);
}
