// Signing in and out: the form, and one click for each of the demo's people.

import { ask, Problem } from "./api.js";
import { byId, el } from "./dom.js";

const WRONG = "The e-mail address or the password is not right.";

/** `onSignedIn` is awaited; what it throws is told as a problem of signing in. */
export function signInForm({ onSignedIn }) {
  const form = byId("sign-in-form");
  const [email, password] = [byId("sign-in-email"), byId("sign-in-password")];
  let busy = false;

  async function enter(login) {
    if (busy) return false;
    busy = true;
    try {
      await ask("POST", "/auth/login", { body: { ...login, mode: "session" } });
      await onSignedIn();
      form.reset();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      say(error.code === "INVALID_CREDENTIALS" ? WRONG : error.message);
      return false;
    } finally {
      busy = false;
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!(await enter({ email: email.value, password: password.value }))) password.select();
  });
  showPeople(enter);
  return {
    open(message) {
      say(message);
      (byId("people").hidden ? email : byId("sign-in-title")).focus();
    },
  };
}

/** Ends the session. Throws Problem, "unavailable" if there still is one. */
export async function signOut() {
  try {
    await ask("POST", "/auth/logout", { body: { mode: "session" } });
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === "unavailable") throw error; // else there is no session any more
  }
}

function say(message) {
  byId("sign-in-said").textContent = message;
  byId("sign-in-said").hidden = !message;
}

/** The demo tells who its people are, unless Stripe itself stands behind it. */
async function showPeople(enter) {
  let people;
  try {
    people = await ask("GET", "people.json");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return; // the form is there
  }
  const buttons = people.map(({ name, about, email, password }) => {
    const parts = [el("strong", {}, name[0].toUpperCase() + name.slice(1)), el("span", {}, about)];
    return el("li", {}, el("button", { type: "button", class: "person", onclick: () => enter({ email, password }) }, ...parts));
  });
  byId("people").hidden = !buttons.length;
  byId("people").querySelector("ul").replaceChildren(...buttons);
}
