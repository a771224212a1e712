// Advice that is written for the command line, said for the page: each command that a view can do instead is its name. Pure.

const NAMES = { providers: "Providers", models: "Models", playground: "Playground", routes: "Routes", usage: "Usage", config: "Config" };

/** A command → the place on the page that does the same, and what is done there. The first that fits counts; others stay commands. */
const WAYS = [
  [/^models auth login --provider (\S+)/, ([, id]) => ({ place: `providers?add=${encodeURIComponent(id)}`, what: "sign in" })],
  [/^models auth paste-api-key --provider (\S+)/, ([, id]) => ({ place: `providers?add=${encodeURIComponent(id)}`, what: "add a key" })],
  [/^models auth order set\b/, () => ({ place: "providers", what: "put them in order" })],
  [/^models auth (list|paste-api-key)\b/, () => ({ place: "providers", what: "add a key" })],
  [/^onboard\b/, () => ({ place: "providers", what: "sign in" })],
  [/^models list --all\b/, () => ({ place: "models?all=1", what: "choose one" })],
  [/^models list --provider (\S+)/, ([, id]) => ({ place: `models?provider=${encodeURIComponent(id)}`, what: "choose one" })],
  [/^models refresh\b/, () => ({ place: "models", what: "refresh the lists" })],
  [/^models (set|set-image|list|aliases)\b/, () => ({ place: "models", what: "choose one" })],
  [/^chat --model\b/, () => ({ place: "playground", what: "ask" })],
  [/^--max-tokens (\d+)/, ([, most]) => ({ place: "playground", what: "ask", detail: `${most} tokens as the longest answer` })],
  [/^(health|health list|budget)$/, () => ({ place: "routes?tab=health", what: "look" })],
  [/^config (?:set|unset) (.+)/, ([, key]) => ({ place: "config", what: "change it", detail: key })],
  [/^config validate\b/, () => ({ place: "config", what: "look at it" })],
  [/^gateway keys\b/, () => ({ place: "usage?tab=keys", what: "change it" })],
];
const TERMINAL = "in a terminal"; // what comes behind it can be done nowhere else
// A command as advice names it: after `run` or `see` or what it is good for, in quotes or to the end of its part.
const COMMAND = /(?:\b(run|see):? |: )(?:"jackfield ([^"\n]+)"|(?:jackfield |(?=--))([^\n;,()]*[^\n;,() .]))/gi;

/** Split advice into words and places of the page: ["set X, or add a key under ", {place: "providers?add=x", name: "Providers"}]. */
export function advise(text) {
  const found = [];
  let done = 0;
  for (const match of text.matchAll(COMMAND)) {
    const [whole, lead, quoted, bare] = match;
    const way = findWay(quoted ?? bare);
    if (way && !text.slice(0, match.index).endsWith(TERMINAL)) {
      found.push(text.slice(done, match.index) + sayLead(lead ?? "", way.what), { place: way.place, name: NAMES[way.place.split("?")[0]] });
      found.push(...(way.detail ? [`: ${way.detail}`] : []));
      done = match.index + whole.length;
    }
  }
  return [...found, text.slice(done)].filter(Boolean);
}

function sayLead(lead, what) {
  const words = { run: `${what} under `, see: "see ", "": " under " }[lead.toLowerCase()];
  return /^[A-Z]/.test(lead) ? words[0].toUpperCase() + words.slice(1) : words;
}

function findWay(command) {
  for (const [pattern, say] of WAYS) {
    const match = pattern.exec(command);
    if (match) {
      return say(match);
    }
  }
  return null;
}
