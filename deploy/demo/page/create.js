// The form that creates a customer. What is wrong with an entry, the sidecar says; this finds the place for it.

import { ask, Problem } from "./api.js";
import { byId, el } from "./dom.js";
import { donePanel, present, problemPanel } from "./panels.js";

const NAMED = /^(\w+): (.+)$/s; // the sidecar begins with the attribute at fault

/**
 * Adds the form, and the button that opens it, to a list. `onCreated` is called after a success; `onProblem` says
 * whether it took a problem over.
 */
export function createForm(list, { onCreated, onProblem }) {
  list.section.querySelector(".head").after(byId("create-template").content.cloneNode(true));
  const form = list.section.querySelector("form");
  const opener = el("button", { type: "button", "aria-expanded": "false", "aria-controls": form.id }, "New customer");
  list.section.querySelector(".tools").append(opener);
  opener.addEventListener("click", () => open(form.hidden));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.disabled) return;
    clearOutcome(form);
    button.disabled = true;
    try {
      const customer = await ask("POST", "/stripe/customers", { body: filledIn(form) });
      form.reset();
      open(false);
      outcome(donePanel("Customer created", customer.id ?? ""));
      onCreated();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!onProblem(error) && !atField(form, error)) outcome(problemPanel(titleOf(error), error));
    } finally {
      button.disabled = false;
    }
  });

  function open(shown) {
    form.hidden = !shown;
    opener.setAttribute("aria-expanded", String(shown));
    if (shown) form.querySelector("input").focus();
  }

  return {
    offer(may) {
      opener.hidden = !may;
      open(false);
      form.reset();
      clearOutcome(form);
    },
  };
}

function filledIn(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
}

function titleOf({ kind }) {
  return kind === "refused" ? "You may not create customers" : "The customer was not created";
}

/** Shows a fault beside the field it names; gives whether there is one. */
function atField(form, problem) {
  const [, name, fault] = (problem.kind === "invalid" && problem.message.match(NAMED)) || [];
  const field = name && form.elements.namedItem(name);
  if (!field) return false;
  const place = byId(`${field.id}-fault`);
  place.textContent = `This ${fault}`;
  place.hidden = false;
  field.setAttribute("aria-invalid", "true");
  field.focus();
  return true;
}

const outcome = (panel) => present(byId("create-outcome"), panel);

function clearOutcome(form) {
  byId("create-outcome").replaceChildren();
  for (const field of form.querySelectorAll("input")) {
    field.removeAttribute("aria-invalid");
    byId(`${field.id}-fault`).hidden = true;
  }
}
