// What the shop asks: of Directus people, their items and articles; of the sidecar prices and subscriptions.

import { ask, Problem } from "/demo/api.js";

const OPEN = ["active", "trialing", "past_due"]; // of a subscription that can be cancelled

/** Gives what everybody may see: how to reach Stripe, and the price. */
export async function shopWindow() {
  const [{ data }, prices] = await Promise.all([ask("GET", "/items/shop_window"), ask("GET", "/stripe/prices")]);
  if (!prices.length) throw new Problem("unavailable", "There is nothing to subscribe to yet.");
  return { stripeJs: data.stripe_js, publishableKey: data.publishable_key, price: prices[0] };
}

/** Gives the account that is signed in, null for nobody. */
export async function whoIsHere() {
  try {
    return (await ask("GET", "/users/me?fields=id,email")).data;
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === "unavailable") throw error;
    // Directus refuses everything that comes with a dead session's cookie. This is refused too, and takes the cookie away.
    if (error.kind === "signed-out") await signOut();
    return null;
  }
}

/** Makes an account. Directus does not tell whether the address had one: then signing in says so. */
export const signUp = (email, password) => ask("POST", "/users/register", { body: { email, password } });
export const signIn = (email, password) => ask("POST", "/auth/login", { body: { email, password, mode: "session" } });

export async function signOut() {
  try {
    await ask("POST", "/auth/logout", { body: { mode: "session" } });
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === "unavailable") throw error;
  }
}

/** Gives what Directus says of the member: the status of its subscription, and the articles that it may read. */
export async function standing() {
  const [items, articles] = await Promise.all([ownItems(), ask("GET", "/items/articles?fields=title,text")]);
  return { status: items[0]?.plan_status ?? null, articles: articles.data };
}

/** Gives the member's first invoice that waits for a payment, as the secret by which this page pays it. */
export async function beginSubscription({ email }, price) {
  const customer = await ownCustomer(email);
  const [begun] = await subscriptions("incomplete");
  const subscription = begun
    ? await ask("GET", `/stripe/subscriptions/${encodeURIComponent(begun.id)}`)
    : await ask("POST", "/stripe/subscriptions", { body: { customer, items: [{ price: price.id }] } });
  const secret = subscription.latest_invoice?.confirmation_secret?.client_secret;
  if (!secret) throw new Problem("unavailable", "This subscription cannot be paid here.");
  return secret;
}

/** Ends the member's subscriptions at once. */
export async function cancelSubscription() {
  for (const { id, status } of await subscriptions("all")) {
    if (OPEN.includes(status)) await ask("DELETE", `/stripe/subscriptions/${encodeURIComponent(id)}`);
  }
}

const subscriptions = (status) => ask("GET", `/stripe/subscriptions?status=${status}`);
const ownItems = async () => (await ask("GET", "/items/members?fields=id,stripe_customer_id,plan_status")).data;

/** Gives the ID of the member's customer, which is made at the first time, for an item that Directus has first. */
async function ownCustomer(email) {
  const [item] = await ownItems();
  if (item?.stripe_customer_id) return item.stripe_customer_id;
  const { id } = item ?? (await ask("POST", "/items/members?fields=id", { body: { email } })).data;
  return (await ask("POST", "/stripe/customers", { body: { email, item: id } })).id;
}
