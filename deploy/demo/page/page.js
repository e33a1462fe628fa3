// The page's beginning: who is signed in, and what they then see. Everything it shows comes from its own origin.

import { ask, Problem } from "./api.js";
import { createForm } from "./create.js";
import { Detail } from "./detail.js";
import { byId, el, icon } from "./dom.js";
import { Known } from "./known.js";
import { kinds } from "./kinds.js";
import { List } from "./list.js";
import { present, problemPanel } from "./panels.js";
import { openPortal } from "./portal.js";
import { askRights } from "./rights.js";
import { signInForm, signOut } from "./session.js";

const VIEWS = ["away", "sign-in", "desk"];
const SKIP = document.querySelector(".skip").hash; // leads within a view, not to another
const ENDED = "Your session has ended. Sign in again.";

let may = () => false;
let charges = new AbortController();
const known = new Known();
const detail = new Detail();
const lists = new Map(kinds({ known, actionsOf }).map((kind) => [kind.key, new List(kind, { onProblem, onRows: onRows(kind) })]));
const [payments, customers] = [lists.get("payments"), lists.get("customers")];
for (const { section } of lists.values()) byId("detail").before(section);
const creation = createForm(customers, { onProblem, onCreated: () => customers.load() });
const signIn = signInForm({ onSignedIn: open });

byId("sign-out").addEventListener("click", leave);
addEventListener("hashchange", () => byId("desk").hidden || location.hash === SKIP || follow());
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
  may = await askRights();
  const name = [data.first_name, data.last_name].filter(Boolean).join(" ");
  byId("who-name").textContent = name || data.email || "Somebody";
  byId("who-email").textContent = name && data.email ? data.email : "";
  byId("initials").textContent = (name || data.email || "?")[0].toUpperCase();
  creation.offer(may("customers.create"));
  offerLists();
  show("desk");
  follow();
  if (customers.isOffered && !customers.isLoaded) customers.load(); // payments show their names
}

/** Offers the lists that this person may see; somebody who may see none is told why at the first of them. */
function offerLists() {
  const seen = [...lists.values()].filter(({ kind }) => may(kind.operation));
  const offered = seen.length ? seen : [payments];
  for (const list of lists.values()) list.isOffered = offered.includes(list);
  const link = ({ kind: { key, title } }) => el("a", { href: `#${key}`, "data-list": key }, icon(`${key}-icon`), title);
  byId("lists").replaceChildren(...seen.map(link));
  byId("lists").hidden = !seen.length;
}

/** Shows what the address names: #payments, #payments/ID, #customers/ID/payments. */
function follow() {
  const [key, id, below] = location.hash.slice(1).split("/");
  const named = lists.get(key);
  const list = below === "payments" ? payments : named?.isOffered ? named : [...lists.values()].find((each) => each.isOffered);
  const isDetail = Boolean(id) && !below && list === named;
  if (!isDetail) showList(list, below === "payments" ? id : null);
  else if (!list.isLoaded || (list.path !== list.kind.path && !list.rows.find(id))) showList(list, null);
  byId("detail").hidden = !isDetail;
  for (const each of lists.values()) each.section.hidden = isDetail || each !== list;
  for (const link of byId("lists").children) {
    if (link.dataset.list === list.kind.key) link.setAttribute("aria-current", isDetail ? "true" : "page");
    else link.removeAttribute("aria-current");
  }
  detail.say(null);
  if (isDetail) showDetail(list, id);
  scrollTo(0, 0);
  (isDetail ? detail.title : list.heading).focus();
}

/** Shows a list, of payments perhaps those of one customer. */
function showList(list, customer) {
  const whose = customer && known.nameOf(customer);
  const all = list.section.querySelector("[data-do=all]");
  const path = customer ? `/stripe/payments/${encodeURIComponent(customer)}` : list.kind.path;
  all.hidden = !customer;
  all.setAttribute("href", `#${list.kind.key}`);
  if (list.isLoaded && list.path === path) return;
  if (list === payments) readCharges();
  const empty = customer ? ["No payments", `${whose} has not paid anything yet.`] : list.kind.empty;
  list.load({ path, empty, title: customer ? `Payments of ${whose}` : list.kind.title });
}

function showDetail(list, id) {
  const entry = list.rows.find(id) ?? (list.isBusy ? null : undefined);
  detail.show({ kind: list.kind, entry, list: list.kind.key });
  detail.shown = { list, id };
}

async function readCharges() {
  if (!may("charges.list")) return;
  charges.abort();
  charges = new AbortController();
  await known.readCharges(charges.signal);
  refresh();
}

function onRows(kind) {
  return (entries) => {
    if (kind.key === "customers") entries.forEach((customer) => known.remember(customer));
    if (entries.some(({ livemode }) => livemode === false)) byId("mode").hidden = false;
    if (kind.key === "customers" && !entries.length) refresh();
    if (!byId("detail").hidden && detail.shown?.list.kind === kind) showDetail(detail.shown.list, detail.shown.id);
  };
}

function refresh() {
  for (const list of lists.values()) list.refresh();
  if (!byId("detail").hidden && detail.shown) showDetail(detail.shown.list, detail.shown.id);
}

async function leave() {
  byId("desk-notice").replaceChildren();
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return present(byId("desk-notice"), problemPanel("You are still signed in", error, leave));
  }
  askForLogin("You are signed out.");
}

/** Leads back to signing in when the caller is not known any more; gives whether it did. A refusal does not. */
function onProblem(problem) {
  if (problem.kind !== "signed-out") return false;
  if (byId("desk").hidden) return true; // another list has said so
  // Directus refuses a login that comes with a dead session's cookie. This is refused too, and takes the cookie away.
  ask("POST", "/auth/logout", { body: { mode: "session" } }).catch(() => {});
  askForLogin(ENDED);
  return true;
}

function askForLogin(message) {
  charges.abort();
  for (const list of lists.values()) list.reset();
  creation.offer(false);
  known.clear();
  detail.forget();
  byId("desk-notice").replaceChildren();
  byId("mode").hidden = true;
  if (message) history.replaceState(null, "", location.pathname);
  show("sign-in");
  signIn.open(message);
}

function show(view) {
  for (const id of VIEWS) byId(id).hidden = id !== view;
  byId("account").hidden = view !== "desk";
}

/** Gives what can be done with a customer, as far as this person may. */
function actionsOf(customer) {
  const name = customer.name || customer.email || "this customer";
  const of = (word) => el("span", { class: "unseen" }, ` ${word} ${name}`);
  const paid = customer.id && may("payments.list_for_customer");
  const portal = (event) => onPortal(customer, event.currentTarget);
  return [
    paid ? el("a", { class: "small", href: `#customers/${customer.id}/payments` }, "Payments", of("of")) : null,
    may("billing_portal_sessions.create")
      ? el("button", { type: "button", class: "small", onclick: portal }, "Billing portal", of("for"))
      : null,
  ];
}

async function onPortal(customer, button) {
  const row = button.closest("tr");
  const say = (panel) => (row ? customers.rows.sayAt(row, panel) : detail.say(panel));
  say(null);
  button.disabled = true;
  try {
    await openPortal(customer);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (onProblem(error)) return;
    const refused = error.kind === "refused";
    say(problemPanel(refused ? "You may not open this billing portal" : "The billing portal did not open", error));
  } finally {
    button.disabled = false;
  }
}
