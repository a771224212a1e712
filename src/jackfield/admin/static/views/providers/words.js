// What the codes of the API are in words.

import { ago, html, ms, until } from "../../ui.js";

/** Why something failed, by an error's type. */
export const FAILURES = {
  auth: "The key is refused",
  missing_key: "There is no key",
  permission: "The key may not do this",
  billing: "No credit is left",
  rate_limit: "Too many requests for now",
  overloaded: "The provider is overloaded",
  timeout: "No answer in time",
  connection: "The server cannot be reached",
  stream_broken: "The answer broke off",
  server_error: "The provider failed",
  protocol: "The answer is none",
  model_not_found: "There is no such model",
  invalid_request: "The request is refused",
  no_model: "No model is known to ask",
  expired: "It has expired",
  excluded_by_auth_order: "Left out by the order",
  ineligible_profile: "The config expects another kind",
  missing_credential: "It is empty",
  unresolved_ref: "Its place gives nothing",
  config: "The settings are wrong",
};

/** Say why something failed. */
export function sayFailure(type) {
  return FAILURES[type] ?? "It failed";
}

/** Say how a provider is: [tone, words]. */
export function sayStatus({ kind, why, untilMs, atMs, ms: took }, now) {
  switch (kind) {
    case "works":
      return ["ok", took ? `Works, ${ms(took)}` : `Works, used ${ago(atMs, now)}`];
    case "ready":
      return ["accent", "Ready, not tested"];
    case "rests":
      return ["warn", `Rests until ${clock(untilMs, now)}: ${sayFailure(why).toLowerCase()}`];
    case "ending":
      return ["warn", `Sign-in ends ${until(untilMs, now)}`];
    case "ended":
      return ["bad", "Sign-in has ended"];
    case "failed":
      return ["bad", sayFailure(why)];
    default:
      return ["bad", "Key missing"];
  }
}

/** Say where a credential comes from. */
export function sayPlace({ kind, label, profileId }) {
  switch (kind) {
    case "profile":
      return profileId;
    case "env":
      return label.replace(/^env: /, "");
    case "config":
      return "Config";
    default:
      return "No key needed";
  }
}

/** Say in a line how a test went: {status, type, model, ms, message}. */
export function sayTest(test) {
  return test.status === "ok" ? `It works: ${test.model} answered in ${ms(test.ms)}` : sayFailure(test.type);
}

/** Write a time of day, and the day where it is not today. */
export function clock(time, now) {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString();
  const day = isToday ? {} : { day: "numeric", month: "short" };
  return new Date(time).toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit" });
}

/** Tell whether an address may be a link. */
export function isLink(url) {
  return /^https?:\/\//.test(url ?? "");
}

/** Draw what stands between backticks as code. */
export function coded(text) {
  return text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));
}
