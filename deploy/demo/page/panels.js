// What stands where something could not be shown or done: what, why, and what to do about it.

import { el, icon } from "./dom.js";

/** `again` is called by the panel's button, which is there where trying again can help. */
export function problemPanel(title, problem, again = null) {
  const refused = problem.kind === "refused";
  return panel(
    problem.kind,
    title,
    el("p", {}, problem.message),
    problem.retryAfter && el("p", {}, `The service asks to wait ${waiting(problem.retryAfter)}.`),
    refused ? facts(problem) : null,
    again && !refused ? button("Try again", again) : null,
  );
}

/** Stands above a list that is not whole. */
export function brokenOffPanel(title, problem, { label, go }) {
  const text = `${problem.message} What came so far is below; it is not all.`;
  return panel("invalid", title, el("p", {}, text), button(label, go));
}

export const emptyPanel = (title, text) => panel("empty", title, el("p", {}, text));
export const donePanel = (title, text) => panel("done", title, el("p", {}, text));

/** Puts a panel where it belongs, and the reading there. */
export function present(slot, shown) {
  slot.replaceChildren(shown);
  shown.querySelector("h2").focus();
}

function panel(kind, title, ...content) {
  const heading = el("h2", { tabindex: "-1" }, title);
  const inside = el("div", {}, heading, ...content);
  return el("div", { class: `panel ${kind}`, role: "group", "aria-label": title }, icon(kind), inside);
}

const button = (label, onclick) => el("button", { type: "button", class: "quiet", onclick }, label);

/** The reasons are core/policy.py's; the sidecar's message says the same in a sentence. */
function facts({ code, extensions: { reason, action, collection } }) {
  const told = [
    ["Reason", reason],
    ["Asked for", action && collection && `${action} on ${collection}`],
    ["Code", code],
  ];
  const shown = told.filter(([, value]) => value);
  return el("dl", {}, ...shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function waiting(seconds) {
  return seconds === 1 ? "a second" : seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
