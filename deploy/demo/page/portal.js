// Stripe's own page, on which a customer manages cards and invoices; it leads back here.

import { ask, Problem } from "./api.js";

/** Leaves for the portal of a customer. Throws Problem. */
export async function openPortal(customer) {
  const whose = customer.id ? { customer: customer.id } : {}; // else the sidecar knows it, or says that it does not
  const session = await ask("POST", "/stripe/billing_portal/sessions", { body: { return_url: here(), ...whose } });
  location.assign(webAddress(session?.url));
}

function here() {
  return location.origin + location.pathname;
}

function webAddress(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url.href;
  throw new Problem("unavailable", "The answer holds no address to go to.");
}
