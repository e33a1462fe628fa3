// The shop's page: a visitor becomes a member, subscribes, reads and cancels. Directus decides what it may read.

import { Problem } from "/demo/api.js";
import { announce, byId, el } from "/demo/dom.js";
import { money } from "/demo/format.js";
import { donePanel, emptyPanel, present, problemPanel } from "/demo/panels.js";
import { loadStripe, outcomeOf, pay, takeReturned } from "./paying.js";
import * as store from "./store.js";

const LOOKS = 120; // at half a second each: Stripe's event has been here long before
const BETWEEN_LOOKS = 500; // milliseconds

let me = null;
let shopWindow = null;

byId("sign-in-form").addEventListener("submit", (event) => whileBusy(event, () => enter(event)));
byId("subscribe-form").addEventListener("submit", (event) => whileBusy(event, () => subscribe(event)));
byId("cancel").addEventListener("click", (event) => whileBusy(event, cancel));
byId("sign-out").addEventListener("click", (event) => whileBusy(event, leave));
addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // back from the bank without its answer
whileBusy(null, begin);

async function begin() {
  const returned = takeReturned();
  me = await store.whoIsHere();
  shopWindow = await store.shopWindow();
  const { unit_amount: amount, currency, recurring } = shopWindow.price;
  byId("price").textContent = `: ${money(amount, currency)} a ${recurring.interval}`;
  show(null);
  if (me) await look();
  if (me && returned) await afterPayment(async () => outcomeOf(await loadStripe(shopWindow), returned));
}

async function enter(event) {
  const [email, password] = ["email", "password"].map((name) => event.target.elements[name].value);
  if (event.submitter?.value !== "in") await store.signUp(email, password);
  await store.signIn(email, password);
  event.target.reset();
  me = await store.whoIsHere();
  show(null);
  await look();
  byId("title").focus();
}

async function leave() {
  await store.signOut();
  me = null;
  show(null);
  byId("email").focus();
}

async function subscribe(event) {
  const card = new FormData(event.target).get("card");
  const secret = await store.beginSubscription(me, shopWindow.price);
  const stripe = await loadStripe(shopWindow);
  await afterPayment(() => pay(stripe, secret, card));
}

/** Says how a payment ended, once Stripe's event has reached Directus. */
async function afterPayment(ended) {
  try {
    await ended();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return tell(problemPanel("The payment failed", error));
  }
  announce("Paid. Waiting for the magazine to open.");
  const opened = await lookUntil(({ articles }) => articles.length > 0);
  tell(opened ? donePanel("You subscribe", "Thank you. The magazine is open to you.") : latePanel());
}

async function cancel() {
  await store.cancelSubscription();
  const closed = await lookUntil(({ articles }) => articles.length === 0);
  tell(closed ? donePanel("Your subscription has ended", "The magazine is closed to you.") : latePanel());
}

const latePanel = () => emptyPanel("This takes longer than usual", "Stripe has it; come back in a while.");

/** Looks again until what Directus says fits; gives whether it did. */
async function lookUntil(fits) {
  for (let looked = 0; looked < LOOKS; looked += 1) {
    if (fits(await look())) return true;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS));
  }
  return false;
}

async function look() {
  const standing = await store.standing();
  show(standing);
  return standing;
}

/** Shows who is here and, once it is known, what Directus says of this member. */
function show(standing) {
  const subscribes = standing?.status === "active";
  byId("who").textContent = me?.email ?? "";
  byId("account").hidden = !me;
  byId("sign-in").hidden = Boolean(me);
  for (const id of ["reading", "plan"]) byId(id).hidden = !standing;
  byId("subscribe-form").hidden = subscribes;
  byId("cancel").hidden = !subscribes;
  byId("plan-said").textContent = `Directus has its status as: ${standing?.status ?? "none"}.`;
  byId("articles").replaceChildren(...articles(standing?.articles ?? []));
}

function articles(found) {
  if (!found.length) return [emptyPanel("For subscribers", "Directus shows you no article: its rule asks for a subscription.")];
  return found.map(({ title, text }) => el("article", {}, el("h3", {}, title), el("p", {}, text)));
}

function tell(panel) {
  present(byId("outcome"), panel);
}

/** Does one thing at a time, and says what went wrong. */
async function whileBusy(event, work) {
  event?.preventDefault();
  const buttons = [...document.querySelectorAll("button")].filter((button) => !button.disabled);
  byId("outcome").replaceChildren();
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell(problemPanel("That did not work", error));
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}
