// Puts moments into the reader's own words: "in 2 minutes", "yesterday".

const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const inFull = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];

export function tell(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const words = time.dataset.style === "f" ? inFull.format(at) : ago(at);
    if (time.textContent !== words) time.textContent = words;
    time.title = inFull.format(at);
  }
}

function ago(at) {
  let distance = (at.getTime() - Date.now()) / 1000;
  for (const [unit, length] of STEPS) {
    if (Math.abs(distance) < length) return relative.format(Math.round(distance), unit);
    distance /= length;
  }
  return "";
}

tell();
setInterval(tell, 5000);
