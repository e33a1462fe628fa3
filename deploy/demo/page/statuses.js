// How a status and a plan are said in few words, and in which tone.

import { el } from "./dom.js";
import { day, money, NOTHING } from "./format.js";

// docs.stripe.com/payments/paymentintents/lifecycle, docs.stripe.com/api: subscriptions, invoices
const STATUSES = {
  payment_intent: {
    succeeded: ["good", "Paid"],
    processing: ["open", "Processing"],
    requires_capture: ["open", "Authorised"],
    requires_action: ["open", "Needs action"],
    requires_confirmation: ["open", "Unconfirmed"],
    requires_payment_method: ["open", "Incomplete"],
    canceled: ["over", "Canceled"],
  },
  subscription: {
    active: ["good", "Active"],
    trialing: ["good", "Trial"],
    incomplete: ["open", "Incomplete"],
    past_due: ["bad", "Past due"],
    unpaid: ["bad", "Unpaid"],
    paused: ["open", "Paused"],
    canceled: ["over", "Canceled"],
    incomplete_expired: ["over", "Expired"],
  },
  invoice: {
    paid: ["good", "Paid"],
    open: ["open", "Open"],
    draft: ["over", "Draft"],
    void: ["over", "Void"],
    uncollectible: ["bad", "Uncollectible"],
  },
};

/** Gives the tone and the words of a status. A payment keeps its own when money goes back: its charge says that. */
export function statusOf({ object, status, last_payment_error: fault }, charge) {
  if (charge?.refunded) return ["over", "Refunded"];
  if (charge?.amount_refunded) return ["over", "Partly refunded"];
  if (status === "requires_payment_method" && (fault || charge?.status === "failed")) return ["bad", "Failed"];
  return STATUSES[object]?.[status] ?? ["open", String(status).replaceAll("_", " ")];
}

export function badge([tone, words]) {
  return el("span", { class: `badge ${tone}` }, words);
}

/** Gives what a subscription costs, and of how many prices. */
export function planOf({ items, currency }) {
  const [first, ...others] = items?.data ?? [];
  const { nickname, unit_amount: amount, recurring } = first?.price ?? {};
  if (!Number.isInteger(amount)) return nickname || "Subscription";
  const { interval, interval_count: count = 1 } = recurring ?? {};
  const often = interval ? ` / ${count > 1 ? `${count} ` : ""}${interval}` : "";
  const cost = `${money(amount * (first.quantity ?? 1), currency)}${often}`;
  return `${nickname ? `${nickname}, ` : ""}${cost}${others.length ? ` + ${others.length}` : ""}`;
}

/** Gives when a subscription is renewed, or ends. */
export function renewal({ status, items, cancel_at_period_end: ends, ended_at: ended }) {
  if (Number.isInteger(ended)) return `Ended ${day(ended)}`;
  const end = items?.data?.[0]?.current_period_end;
  if (!Number.isInteger(end)) return NOTHING;
  return `${ends ? "Ends" : status === "trialing" ? "Trial to" : "Renews"} ${day(end)}`;
}
