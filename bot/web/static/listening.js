// A stream of news, only while somebody looks: browsers open six connections to a host for all its tabs together.

const FIRST_MS = 5000;
const LAST_MS = 60000; // between two attempts where we are refused

/** `hear`: what to do with events, by their names; `lost`: when there is no connection; `refused`: whether to give up. */
export function listen(address, { hear, lost, refused }) {
  let source = null;
  let timer = 0;
  let wait = FIRST_MS;

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function open() {
    close();
    const opened = new EventSource(address);
    source = opened;
    opened.addEventListener("open", () => { wait = FIRST_MS; });
    for (const [name, act] of Object.entries(hear)) opened.addEventListener(name, act);
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      lost?.();
      if (opened.readyState !== EventSource.CLOSED) return; // it tries again by itself
      timer = setTimeout(async () => {
        if (source === opened && !(await refused?.())) open();
      }, wait);
      wait = Math.min(2 * wait, LAST_MS);
    });
  }

  function look() {
    if (document.hidden) close();
    else if (!source) open();
  }

  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && look());
  look();
}
