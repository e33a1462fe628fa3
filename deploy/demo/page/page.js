// The page's beginning: who is signed in, and what they then see. Everything it shows comes from its own origin.

import { ask, Problem } from "./api.js";
import { customerColumns, nameBuyers, paymentColumns } from "./columns.js";
import { createForm } from "./create.js";
import { byId } from "./dom.js";
import { List } from "./list.js";
import { present, problemPanel } from "./panels.js";
import { openPortal } from "./portal.js";

const VIEWS = ["away", "sign-in", "desk"];
const ENDED = "Your session has ended. Sign in again.";
const names = new Map();

const nameOf = (id) => names.get(id) ?? id;
const customers = new List(byId("customers"), "customer", remembering(customerColumns({ onPayments, onPortal })), {
  onProblem: sessionEnded,
  onEnd: () => nameBuyers(payments.table, nameOf),
});
const payments = new List(byId("payments"), "payment", paymentColumns({ nameOf }), { onProblem: sessionEnded });
const creation = createForm({ onProblem: sessionEnded, onCreated: () => customers.load() });

byId("sign-in-form").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", signOut);
byId("all-payments").addEventListener("click", () => {
  showPayments();
  byId("payments-title").focus();
});
addEventListener("pageshow", ({ persisted }) => persisted && begin()); // back from the portal, perhaps as nobody
begin();

async function begin() {
  try {
    await open();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.kind !== "unavailable") return askForLogin(error.code === "TOKEN_EXPIRED" ? ENDED : "");
    show("away");
    present(byId("away"), problemPanel("Directus cannot be reached", error, begin));
  }
}

/** Shows the desk of whoever is signed in. Throws Problem, of kind "signed-out" for nobody. */
async function open() {
  const { data } = await ask("GET", "/users/me?fields=id,first_name,last_name,email");
  const name = [data.first_name, data.last_name].filter(Boolean).join(" ");
  byId("who-name").textContent = name || data.email || "Somebody";
  byId("who-email").textContent = name && data.email ? data.email : "";
  byId("initials").textContent = (name || data.email || "?")[0].toUpperCase();
  show("desk");
  byId("desk-title").focus();
  customers.load({ path: "/stripe/customers", empty: ["No customers", "There are none yet, or none of them are yours."] });
  showPayments();
}

async function signIn(event) {
  event.preventDefault();
  const [email, password] = [byId("sign-in-email"), byId("sign-in-password")];
  const button = event.target.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  try {
    await ask("POST", "/auth/login", { body: { email: email.value, password: password.value, mode: "session" } });
    await open();
    event.target.reset();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.code === "INVALID_CREDENTIALS" ? "The e-mail address or the password is not right." : error.message);
    password.select();
  } finally {
    button.disabled = false;
  }
}

async function signOut() {
  byId("desk-notice").replaceChildren();
  try {
    await ask("POST", "/auth/logout", { body: { mode: "session" } });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // Anything else says that there is no session any more, which is what was wanted.
    if (error.kind === "unavailable") return present(byId("desk-notice"), problemPanel("You are still signed in", error, signOut));
  }
  askForLogin("You are signed out.");
}

/** Leads back to signing in when the caller is not known any more; gives whether it did. A refusal does not. */
function sessionEnded(problem) {
  if (problem.kind !== "signed-out") return false;
  if (byId("desk").hidden) return true; // the other list has said so
  // Directus refuses a login that comes with a dead session's cookie. This is refused too, and takes the cookie away.
  ask("POST", "/auth/logout", { body: { mode: "session" } }).catch(() => {});
  askForLogin(ENDED);
  return true;
}

function askForLogin(message) {
  customers.clear();
  payments.clear();
  creation.clear();
  names.clear();
  byId("desk-notice").replaceChildren();
  show("sign-in");
  say(message);
  byId("sign-in-email").focus();
}

function say(message) {
  byId("sign-in-said").textContent = message;
  byId("sign-in-said").hidden = !message;
}

function show(view) {
  for (const id of VIEWS) byId(id).hidden = id !== view;
  byId("account").hidden = view !== "desk";
}

function onPayments(customer) {
  showPayments(customer);
  byId("payments-title").focus();
}

/** Shows the payments of one customer, or of all. */
function showPayments(customer = null) {
  const whose = customer && (customer.name || customer.email || customer.id);
  byId("payments-title").textContent = customer ? `Payments of ${whose}` : "Payments";
  byId("all-payments").hidden = !customer;
  const path = customer ? `/stripe/payments/${encodeURIComponent(customer.id)}` : "/stripe/payments";
  payments.load({ path, empty: ["No payments", customer ? `${whose} has not paid anything yet.` : "There are none yet."] });
}

async function onPortal(customer, button) {
  const slot = byId("customers").querySelector(".notice");
  slot.replaceChildren();
  button.disabled = true;
  try {
    await openPortal(customer);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (sessionEnded(error)) return;
    const title = error.kind === "refused" ? "You may not open this billing portal" : "The billing portal did not open";
    present(slot, problemPanel(title, error));
  } finally {
    button.disabled = false;
  }
}

/** Has the customers' rows leave their names behind, for the payments' rows. */
function remembering([head, ...others]) {
  const cell = (customer) => {
    if (customer.id && customer.name) names.set(customer.id, customer.name);
    return head.cell(customer);
  };
  return [{ ...head, cell }, ...others];
}
