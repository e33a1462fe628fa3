// Paying in the page with Stripe.js (docs.stripe.com/js/payment_intents/confirm_payment).

import { Problem } from "/demo/api.js";
import { el } from "/demo/dom.js";

const ADDED = ["payment_intent", "payment_intent_client_secret", "redirect_status"]; // to the address, by Stripe

/** Loads Stripe.js, which must come from Stripe. Throws Problem. */
export async function loadStripe({ stripeJs, publishableKey }) {
  if (!window.Stripe) await loadScript(stripeJs);
  return window.Stripe(publishableKey);
}

function loadScript(src) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Problem("unavailable", "Stripe's script did not load."));
    document.head.append(el("script", { src, onload: resolve, onerror: failed }));
  });
}

/** Pays with a card. A bank that asks for 3-D Secure leads the browser away and back. Throws Problem for a no. */
export async function pay(stripe, clientSecret, card) {
  const confirmParams = { payment_method: card, return_url: location.origin + location.pathname };
  return paid(await stripe.confirmPayment({ clientSecret, confirmParams, redirect: "if_required" }));
}

/** Gives the secret of the payment from which the browser returns, null if it comes from elsewhere. */
export function takeReturned() {
  const address = new URL(location.href);
  const secret = address.searchParams.get("payment_intent_client_secret");
  for (const name of ADDED) address.searchParams.delete(name);
  history.replaceState(null, "", address); // the secret stays neither in the address nor in the history
  return secret;
}

/** Asks Stripe how a payment ended; the address says it too, but anybody can write an address. Throws Problem for a no. */
export const outcomeOf = async (stripe, clientSecret) => paid(await stripe.retrievePaymentIntent(clientSecret));

function paid({ error, paymentIntent }) {
  const fault = error ?? paymentIntent.last_payment_error;
  if (error || paymentIntent.status === "requires_payment_method") {
    throw new Problem("invalid", fault?.message ?? "The payment failed.", { code: fault?.code });
  }
}
