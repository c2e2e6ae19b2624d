// Sends what a person does, with the token that only our own pages have.

const token = document.querySelector('meta[name="token"]').content;

/** A name for a wish, so that one that is sent twice is dreamt once. (`randomUUID` is for https alone.) */
export function newWish() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

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

/** The status of a page of ours; 0: it cannot be had. */
export async function status(address) {
  const headers = { Accept: "application/json" };
  return (await fetch(address, { headers, credentials: "same-origin" }).catch(() => ({ status: 0 }))).status;
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

/** The element that some HTML of ours stands for. */
export function element(html) {
  return document.importNode(new DOMParser().parseFromString(html, "text/html").body.firstElementChild, true);
}
