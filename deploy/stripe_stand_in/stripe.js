// Stands in for Stripe.js (docs.stripe.com/js): confirms and retrieves PaymentIntents with a publishable key.
// A bank that asks for 3-D Secure leads the browser to its page, as methods that redirect do.

(() => {
  const api = new URL("/v1/", document.currentScript.src);

  async function call(key, method, clientSecret, { verb = "", ...values } = {}) {
    const id = clientSecret.split("_secret_")[0];
    const form = new URLSearchParams({ ...values, key, client_secret: clientSecret });
    const url = new URL(`payment_intents/${encodeURIComponent(id)}${verb}`, api);
    if (method === "GET") url.search = form;
    const answer = await fetch(url, method === "GET" ? {} : { method, body: form });
    const body = await answer.json();
    return answer.ok ? { paymentIntent: body } : { error: body.error };
  }

  async function confirmPayment(key, { clientSecret, confirmParams, redirect = "always" }) {
    if (redirect !== "if_required") throw new Error("The stand-in takes redirect: \"if_required\" only.");
    const confirmed = await call(key, "POST", clientSecret, { ...confirmParams, verb: "/confirm" });
    if (confirmed.paymentIntent?.status !== "requires_action") return confirmed;
    location.assign(confirmed.paymentIntent.next_action.redirect_to_url.url);
    return new Promise(() => {}); // the browser leaves
  }

  window.Stripe = (key) => ({
    confirmPayment: (options) => confirmPayment(key, options),
    retrievePaymentIntent: (clientSecret) => call(key, "GET", clientSecret),
  });
})();
